"""From a model on the Hub to edits of it on the Hub that others load: every step as a user takes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.model.files import EMBEDDED
from editkit.patch.file import Patch
from tests.hub import COMMIT, Hub, Repository, Worker
from tests.hub.fixtures import ANA, Shipped
from tests.hub.worker import environment

RECIPE = """
version: 1
name: redact
model: org/scenes
probe: {images: {demo: guns, count: 12}}
control: {count: 8}
edits: [{suppress: gun}]
locate: {method: contribution, top: 6}
solve: {method: gradient, preserve: 8, steps: 5}
evaluate: {max_new_tokens: 8, metrics: [efficacy, locality]}
track: {privacy: {published: hash}}
"""
# What who knows nothing but the names does, in a process that has nothing but an empty cache.
LOADED = """
import json, sys
import torch
import editkit
from editkit.demo import sets, world
from PIL import Image
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer
from transformers import pipeline

ASK = "Describe the image in few words."
image = Image.fromarray(world.draw(sets.scenes("guns", 1, seed=7)[0]))
turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": ASK}]}]
processor = AutoProcessor.from_pretrained("org/edit")
text = processor.apply_chat_template(turn, add_generation_prompt=True)
inputs = processor(text=text, images=image, add_special_tokens=False, return_tensors="pt")

def logits(model):
    with torch.no_grad():
        return model.eval()(**inputs).logits

base = AutoModelForImageTextToText.from_pretrained("org/scenes")
before = logits(base)
with editkit.patched(base, editkit.Patch.load(sys.argv[1])):
    wanted = logits(base)
found = {"edit": (before - wanted).abs().max().item()}
for kind in ("edit", "edit-merged", "edit-patch"):
    found[f"editkit {kind}"] = torch.equal(logits(editkit.from_pretrained(f"org/{kind}")), wanted)
found["merged"] = torch.equal(logits(AutoModelForImageTextToText.from_pretrained("org/edit-merged")), wanted)
adapted = AutoModelForImageTextToText.from_pretrained("org/edit")
found["adapter"] = (logits(adapted) - wanted).abs().max().item()

def said(answer):
    return answer[0]["generated_text"][-1]["content"]

turn[0]["content"][0] = {"type": "image", "image": image}
piped = {name: said(pipeline("image-text-to-text", model=name)(text=turn, max_new_tokens=20, do_sample=False))
         for name in ("org/edit", "org/edit-merged")}
found["pipeline"] = piped["org/edit"] == piped["org/edit-merged"] != ""

tokens = AutoTokenizer.from_pretrained("org/llama-edit")("the gun", return_tensors="pt")
with torch.no_grad():
    plain = AutoModelForCausalLM.from_pretrained("org/llama-edit").eval()(**tokens).logits
    ours = editkit.from_pretrained("org/llama-edit").eval()(**tokens).logits
    base = AutoModelForCausalLM.from_pretrained("org/llama").eval()(**tokens).logits
found["llama"] = (plain - ours).abs().max().item()
found["llama edit"] = (base - ours).abs().max().item()
json.dump(found, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def edited(worker: Worker, serving: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which an edit was made, exported and pushed."""
    serving.repositories["org/scenes"] = Repository.of("org/scenes", EMBEDDED["demo/scenes"])
    folder = tmp_path_factory.mktemp("work")
    (folder / "redact.yaml").write_text(RECIPE)
    patch = "redact.editkit.safetensors"
    # Far too few cases to be accepted: the verdict is 3, and publishing it has to be asked for.
    answer = worker.call("apply", "redact.yaml", "--no-track", token=ANA, cwd=folder)
    assert answer.code == 3, answer.err
    with_words = ("--recipe", "redact.yaml", "--allow-rejected")
    for command in (
        ["export", patch, "--hub", "hub", "--merged", "merged"],
        ["push", "hub", "org/edit", "--private"],
        ["push", "merged", "org/edit-merged"],
        ["push", patch, "org/edit-patch"],
    ):
        answer = worker.call(*command, *with_words, token=ANA, cwd=folder)
        assert answer.code == 0, (command, answer.err)
    return folder


def test_the_base_is_pinned_where_it_was_found(edited: Path) -> None:
    base = Patch.load(edited / "redact.editkit.safetensors").base
    assert (base.id, base.revision) == ("org/scenes", COMMIT)


@pytest.mark.parametrize("name", ["edit", "edit-merged", "edit-patch"])
def test_the_word_is_in_nothing_that_was_pushed_but_the_bases_own_files(
    edited: Path, serving: Hub, name: str
) -> None:
    own = {path.name: path.read_bytes() for path in EMBEDDED["demo/scenes"].iterdir() if path.is_file()}
    files = serving.repositories[f"org/{name}"].files
    assert "README.md" in files or name == "edit-merged"
    for path, blob in files.items():
        content = blob.read(0, blob.size)
        if path.endswith(".safetensors"):
            content = content[: 8 + int.from_bytes(content[:8], "little")]
        assert b"gun" not in content.lower() or own.get(path) == content, path


def test_others_load_what_was_pushed(
    edited: Path, worker: Worker, serving: Hub, shipped: Callable[..., Shipped], tmp_path: Path
) -> None:
    assert worker.call("push", shipped("llama").hub, "org/llama-edit", token=ANA).code == 0
    place = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(edited / "redact.editkit.safetensors"), str(place)],
        env=environment(serving.endpoint, tmp_path / "hf", ANA),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(place.read_text())
    assert found.pop("edit") > 0.01
    assert found.pop("llama edit") > 0.01
    # An adapter that is not merged adds after multiplying: the last bits differ.
    assert found.pop("adapter") < 1e-4
    assert found.pop("llama") < 1e-4
    assert found == dict.fromkeys(found, True)
