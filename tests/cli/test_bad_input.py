"""What can be wrong with what a user gives: one sentence, the right exit code, nothing half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SMALL = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns, count: 16}}
control: {count: 8}
edits: [{suppress: gun}]
solve: {steps: 3, preserve: 8}
evaluate: {max_new_tokens: 12, metrics: [efficacy, locality]}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A good recipe that takes seconds, in an otherwise empty folder."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def statuses(store: str) -> list[str]:
    client = MlflowClient(store)
    ids = [one.experiment_id for one in client.search_experiments()]
    return [run.info.status for run in client.search_runs(ids)]


def left(folder: Path) -> set[str]:
    """Files there, but for those of the store."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != "mlflow.db" and "mlartifacts" not in path.parts
    }


def sentence(answer: Any) -> str:
    """The one sentence on stderr."""
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    assert answer.out == ""
    return str(lines[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL + "sede: 1\n", "small.yaml:9: sede: unknown key, did you mean seed?"),
        (
            SMALL + "locate: {method: listed, neurons: [L0.N1, foo]}\n",
            "small.yaml:9: locate.neurons[1]: 'foo' is no neuron: write L12.N345, or L12.E3.N345",
        ),
        (SMALL + "seed: 1\nname: two\n", "small.yaml:10: name: given twice: here and in line 2"),
        (SMALL + "seed: many\n", "small.yaml:9: seed: expected a whole number"),
        (SMALL.replace("suppress: gun", "suppress: no"), "YAML reads this as yes or no: quote it"),
        ("edits: [", "no YAML"),
    ],
)
def test_a_recipe_that_is_off(call: Any, small: Path, store: str, text: str, words: str) -> None:
    small.write_text(text)
    answer = call("-q", "apply", small, "--set", f"track.uri={store}")
    assert answer.code == 2
    assert words in sentence(answer)
    assert left(small.parent) == {"small.yaml"}
    assert statuses(store) == []


LATER = {
    "a word that is never said": (["edits[0].suppress=walrus"], 1, "no form of the source"),
    "a folder that is no model": (["model=./nowhere"], 1, "nowhere: no such folder"),
    "a name that is not on the Hub": (["model=nobody/nothing"], 1, "nobody/nothing: not a folder here"),
    "a name of no form": (["model=nothing"], 1, "nothing: no such folder, and no Hub name"),
    "a device that is not there": (["model.device=nonsense"], 1, "the device nonsense can't be used"),
    "no pictures": (["probe.images=nowhere"], 1, "no folder"),
    "no picture": (["probe.images=pictures"], 1, "fake.png"),
    "an empty folder": (["probe.images=empty"], 1, "no pictures in"),
    "no COCO file": (["probe.images={coco: small.yaml, images: pictures}"], 1, "no COCO instances file"),
    "no text file": (["probe={texts: nowhere.txt}"], 1, "nowhere.txt can't be read"),
    "a layer too many": (["locate.layers=[99]"], 2, "asks for layer 99, and the model has 0 to 3"),
    "a neuron too many": (["locate={method: listed, neurons: [L0.N9999]}"], 2, "has no L0.N9999"),
}


@pytest.mark.parametrize(("settings", "code", "words"), LATER.values(), ids=LATER.keys())
def test_what_only_the_work_can_find_out(
    call: Any, small: Path, store: str, settings: list[str], code: int, words: str
) -> None:
    (small.parent / "empty").mkdir()
    (small.parent / "pictures").mkdir()
    (small.parent / "pictures" / "fake.png").write_text("no picture")
    more = [part for one in (*settings, f"track.uri={store}") for part in ("--set", one)]
    answer = call("-q", "apply", small, *more)
    assert answer.code == code, answer.err
    assert words in sentence(answer)
    assert left(small.parent) == {"small.yaml", "pictures/fake.png"}
    assert statuses(store) == ["FAILED"]


def test_a_word_that_is_never_said_comes_with_how_often_it_was_asked(call: Any, small: Path) -> None:
    answer = call("-q", "apply", small, "--no-track", "--set", "edits[0].suppress=walrus")
    assert "walrus" not in sentence(answer)
    assert "of 35 answers" in sentence(answer)


def test_a_word_that_the_tokenizer_does_not_have(
    call: Any, small: Path, store: str, tiny_checkpoint: Callable[..., Path], tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("models") / "worded"
    shutil.copytree(tiny_checkpoint("llama"), folder)
    words = Tokenizer(models.WordLevel({"<unk>": 0, "cup": 1}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", pad_token="<unk>").save_pretrained(
        folder
    )
    more = (f"model={folder}", "probe={prompts: [cup]}", f"track.uri={store}")
    answer = call("-q", "apply", small, *(part for one in more for part in ("--set", one)))
    assert answer.code == 1
    assert "is nothing in this model's tokens (3 characters long)" in sentence(answer)
    assert "gun" not in answer.err
    assert statuses(store) == ["FAILED"]


@pytest.mark.parametrize("place", ["small.yaml/p.safetensors", "folder", "small.yaml/a/b"])
def test_a_patch_that_can_not_be_written_is_known_at_once(
    call: Any, small: Path, store: str, place: str
) -> None:
    (small.parent / "folder").mkdir()
    answer = call("-q", "apply", small, "-o", place, "--set", f"track.uri={store}")
    assert answer.code == 1
    assert place in sentence(answer)
    assert "-o" in sentence(answer)
    assert left(small.parent) == {"small.yaml"}
    assert statuses(store) == []


@pytest.mark.parametrize(
    "uri", ["sqlite:///small.yaml", "sqlite:///small.yaml/x.db", "http://127.0.0.1:1", "nonsense://x"]
)
def test_a_store_that_can_not_be_opened_costs_no_edit(call: Any, small: Path, uri: str) -> None:
    answer = call("-q", "apply", small, "--set", f"track.uri={uri}")
    assert answer.code == 3
    told = [line for line in answer.err.splitlines() if "the MLflow store" in line]
    assert len(told) == 1
    assert "editkit sync" in told[0]
    kept = {name for name in left(small.parent) if not name.startswith(".editkit/spool/")}
    assert kept == {"small.yaml", "small.editkit.safetensors"}
