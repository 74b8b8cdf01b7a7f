"""The model card: what the Hub reads at its top, what people read below, and that its code runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from editkit.export.card import Form, card
from editkit.export.hidden import hidden
from editkit.export.origin import TASKS, Origin, front_matter, origin
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.patch.words import key_for, mask
from editkit.privacy.hidden import Hidden
from editkit.recipe import Recipe, parse_recipe

Asked = Callable[..., Recipe]
Told = Callable[..., Patch]
FILE = "edit.editkit.safetensors"
SEES = Origin(
    "image-text-to-text", TASKS["image-text-to-text"], {"license": "apache-2.0", "language": ["en"]}
)


def written(patch: Patch, about: Origin = SEES, form: Form = "adapter", **given: Any) -> str:
    secret = given.pop("secret", None) or hidden(patch, given.get("recipe"))
    return card(patch, about, secret, form=form, patch_file=FILE, **given)


def test_the_hub_reads_what_it_is(asked: Asked, told: Told) -> None:
    from huggingface_hub import ModelCard

    text = written(told(asked()))
    front = yaml.safe_load(text.split("---")[1])
    assert front == {
        "base_model": "org/base",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "image-text-to-text",
        "license": "apache-2.0",
        "language": ["en"],
        "tags": ["editkit", "model-editing", "lora"],
    }
    assert ModelCard(text).data.to_dict() == front  # as its own client reads it
    assert dict(front_matter(text)) == front


def test_of_a_patch_alone_and_of_a_merged_model(asked: Asked, told: Told) -> None:
    alone, whole = (dict(front_matter(written(told(asked()), form=form))) for form in ("patch", "merged"))
    assert (alone["library_name"], alone["base_model_relation"]) == ("editkit", "adapter")
    assert (whole["library_name"], whole["base_model_relation"]) == ("transformers", "finetune")
    assert "editkit revert" in written(told(asked()), form="merged")


@pytest.mark.parametrize("line", ["license: mit\n", "", "license: {a: b}\n", "license: !!python/name:os.x\n"])
def test_the_licence_is_the_bases_or_the_one_given(
    line: str, asked: Asked, told: Told, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text(f"---\ntags: [a]\n{line}license_link: there\n---\n# Base\n")
    about = origin(tmp_path)
    front = front_matter(written(told(asked()), about))
    assert front.get("license") == ("mit" if "mit" in line else None)
    own = front_matter(written(told(asked()), about, license="openrail"))
    assert own["license"] == "openrail"
    assert "license_link" not in own


@pytest.mark.parametrize(
    ("config", "task"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "text-generation"),
        ({"vision_config": {}}, "image-text-to-text"),
        ({"is_encoder_decoder": True}, "text2text-generation"),
        ([], "text-generation"),
    ],
)
def test_what_it_is_for_is_read_off_the_bases_config(config: object, task: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert origin(tmp_path) == Origin(task, TASKS[task])


def test_every_family_of_the_tests_has_the_loader_that_loads_it(
    any_model: Editable,
) -> None:
    import transformers

    loader = getattr(transformers, origin(Path(any_model.folder)).loader)
    assert type(loader.from_pretrained(any_model.folder)) is type(any_model.model)


def test_scores_and_verdict_are_told(asked: Asked, told: Told) -> None:
    text = written(told(asked()))
    assert "| efficacy | 0 | 0.975 | 0.025 |" in text
    assert "| drift |  | 0.0012 |  |" in text
    assert "**Accepted**" in text
    assert "**Rejected**" in written(told(asked(), accepted=False))
    assert "Not judged" in written(told(asked(), accepted=None))


def test_it_says_where_it_came_from_and_what_it_can_not_hide(asked: Asked, told: Told) -> None:
    patch = told(asked())
    text = written(patch)
    for told_of in (
        patch.digest,
        patch.base.config_digest,
        patch.provenance.recipe_digest,
        patch.base.revision,
    ):
        assert str(told_of) in text
    assert str(patch.neurons()[0]) in text
    assert patch.entries[0].tensor in text
    assert "gives the word away to someone who looks" in " ".join(text.split())


@pytest.mark.parametrize("how", ["hash", "omit"])
def test_the_recipe_is_shown_with_its_words_masked_wherever_they_stand(
    how: Any, asked: Asked, told: Told
) -> None:
    recipe = asked(how)
    text = written(told(recipe), recipe=recipe)
    shown = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    data = yaml.safe_load(shown[1])
    gun, hand_gun, fork, spoon = (
        mask(word, how, key_for(how)) for word in ("gun", "hand gun", "fork", "spoon")
    )
    assert data["probe"]["prompts"] == [f"Is there a {gun} here?", f"Name the {gun}."]
    assert data["probe"]["texts"] == [f"A {hand_gun}, a {fork} and a {spoon}."]
    assert data["edits"] == [{"suppress": [gun, hand_gun]}, {"map": {"from": fork, "to": spoon}}]
    assert data["probe"]["images"] == {"folder": "[a local file]"}
    assert data["model"] == {"id": "org/base", "revision": "0123456789" * 4}
    assert "track" not in data


def test_a_plain_recipe_is_shown_as_it_is_and_can_be_read_again(asked: Asked, told: Told) -> None:
    recipe = asked("plain")
    shown = re.search(r"```yaml\n(.*?)```", written(told(recipe), recipe=recipe), re.DOTALL)
    assert shown is not None
    again = parse_recipe(shown[1])
    assert again.edits == recipe.edits
    assert again.probe.prompts == recipe.probe.prompts


def test_paths_of_this_machine_are_not_shown(asked: Asked, told: Told, tmp_path: Path) -> None:
    (tmp_path / "my" / "texts").mkdir(parents=True)
    text = f"""
version: 1
name: a
model: {{id: {tmp_path}/model}}
probe:
  images: {{coco: my/instances.json, images: /data/pictures}}
  prompts: {{file: my/prompts.txt}}
  texts: {{file: ~/texts.txt}}
  twins: {{method: diffusers, model: my/texts, cache: ../cache, pairs: my/pairs}}
evaluate: {{metrics: [efficacy, locality], bleurt: ./my/bleurt}}
edits: [{{suppress: gun}}]
track: {{uri: "sqlite:////data/mine.db", privacy: {{published: plain}}}}
"""
    recipe = asked(text=text)
    shown = written(told(recipe, base=f"sha256:{'1' * 64}"), recipe=recipe)
    for leaked in ("my/", "/data", "~", "../", str(tmp_path), "mine.db"):
        assert leaked not in shown
    assert "method: diffusers" in shown


def test_texts_of_a_strangers_patch_are_no_markup(asked: Asked, told: Told) -> None:
    patch = told(asked("plain"))
    evil = "</script><img src=x> [a](http://b) `c` \n\n# Accepted\n| x | ![d](e)"
    came = replace(
        patch.provenance,
        edits=(evil,),
        scores={evil: {"after": 1.0}},
        versions={evil: evil},
        locate=replace(patch.provenance.locate, name=evil, settings={"a": evil}),
    )
    text = written(replace(patch, provenance=came))
    assert "\n# Accepted" not in text
    assert "](http://b)" not in re.sub(r"`[^`]*`", "", text).replace("\\]", "")
    assert "<img" not in re.sub(r"`[^`]*`", "", text).replace("\\<", "")
    assert all(line.count("|") - line.count("\\|") in (0, 3, 5) for line in text.splitlines())


def test_backticks_in_a_recipe_do_not_end_its_block(asked: Asked, told: Told) -> None:
    recipe = asked(text=asked("plain").to_yaml().replace("Name the Guns.", '"```` not the end"'))
    assert "```` not the end" in recipe.probe.prompts[1]  # type: ignore[operator,index]  # a list it is
    assert len(re.findall("^`````(?:yaml)?$", written(told(recipe), recipe=recipe), re.MULTILINE)) == 2


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")  # by PEFT
def test_the_code_that_loads_it_runs(asked: Asked, told: Told, llava: Editable, tmp_path: Path) -> None:
    from editkit.export.folder import export_hub
    from editkit.model.patching import patched

    patch, base = told(asked()), Path(llava.folder)
    folder = export_hub(patch, base, tmp_path / "hub").folder
    config = json.loads((folder / "adapter_config.json").read_text())
    # The Hub's base is not to be had here: it is read from its folder.
    named = {**config, "base_model_name_or_path": str(base), "revision": None}
    (folder / "adapter_config.json").write_text(json.dumps(named))
    tokens = torch.tensor([[1, 50, 60, 70, 80]])
    with torch.no_grad(), patched(llava.model, patch):
        wanted = llava.model(input_ids=tokens).logits
    text = written(patch) + written(patch, form="patch")
    blocks = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "transformers" in code]
    assert len(blocks) == 3  # plain transformers, PEFT, write_patch
    for code in blocks:
        code = code.replace('"org/base"', repr(str(base))).replace(f'"{FILE}"', repr(str(folder / FILE)))
        space: dict[str, Any] = {"repository": str(folder)}
        exec(code, space)
        with torch.no_grad():
            assert (space["model"](input_ids=tokens).logits - wanted).abs().max() < 1e-4


def test_so_does_the_code_for_a_base_without_a_public_name(
    asked: Asked, told: Told, llava: Editable, tmp_path: Path
) -> None:
    from editkit.checkpoint import Checkpoint
    from editkit.export.folder import export_hub

    base = Path(llava.folder)
    patch = told(asked(), base=f"sha256:{Checkpoint.open(base).identity}")
    folder = export_hub(patch, base, tmp_path / "hub").folder
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    (code,) = [code for code in blocks if "editkit.from_pretrained" in code]
    space: dict[str, Any] = {"repository": str(folder)}
    exec(code.replace('"path/to/the/base"', repr(str(base))), space)
    changed = dict(space["model"].named_parameters())
    for entry in patch.entries:
        own = llava.model.get_parameter(f"{entry.module}.weight")
        assert not torch.equal(changed[f"{entry.module}.weight"], own)


def test_the_code_that_undoes_it_runs(asked: Asked, told: Told, llava: Editable, tmp_path: Path) -> None:
    import copy

    from editkit.model.patching import write_patch

    patch, model = told(asked()), copy.deepcopy(llava.model)
    patch.save(tmp_path / FILE)
    write_patch(model, patch)
    (code,) = [
        code for code in re.findall(r"```python\n(.*?)```", written(patch), re.DOTALL) if "undo_patch" in code
    ]
    exec(code.replace(f'"{FILE}"', repr(str(tmp_path / FILE))), {"model": model})
    state = llava.model.state_dict()
    assert all((value == state[name]).all() for name, value in model.state_dict().items())


def test_nothing_hidden_says_nothing_of_hiding(asked: Asked, told: Told) -> None:
    assert "hmac" not in written(told(asked("plain")), secret=Hidden("plain"))
