"""A LoRA folder: what stands in it, what it calls its base, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from editkit.errors import EditkitError, ModelError, OutputError, PatchError
from editkit.events import StageStarted
from editkit.export.lora import export_lora, write_adapter
from editkit.model.editable import Editable
from editkit.model.open import load_weights
from editkit.patch.file import Patch
from editkit.patch.format import Base
from editkit.patch.manifest import Manifest, digest_of
from editkit.patch.rows import rounded, widen

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture
def patch(any_model: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]) -> Patch:
    """One neuron in the first layer, two in the last."""
    rows = {**random_rows(any_model, 1, [0], count=1), **random_rows(any_model, 2, [2], count=2)}
    return patch_of(any_model, rows)


def config_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CONFIG).read_bytes())
    return found


def named(patch: Patch, name: str, revision: str | None = None) -> Patch:
    return replace(patch, base=Base(name, revision, "float32", patch.base.config_digest))


def test_a_folder_holds_the_adapter_the_patch_and_where_they_came_from(
    any_model: Editable, patch: Patch, tmp_path: Path
) -> None:
    told: list[str] = []
    place = tmp_path / "a folder"
    exported = export_lora(
        patch,
        any_model.folder,
        place,
        name="mine",
        tell=lambda event: told.append(event.name) if isinstance(event, StageStarted) else None,
    )
    files = {path.name for path in place.iterdir()}
    assert files == {CONFIG, WEIGHTS, "mine.editkit.safetensors", "editkit.json"}
    assert (exported.folder, exported.kind, exported.n_files, exported.notes) == (place, "lora", 4, ())
    assert exported.n_bytes == sum(path.stat().st_size for path in place.iterdir())
    manifest = Manifest.read(place)
    assert manifest.patches == (("mine.editkit.safetensors", patch.digest),)
    assert {name: file.sha256 for name, file in manifest.files.items()} == {
        name: digest_of(place / name) for name in (CONFIG, WEIGHTS)
    }
    assert Patch.load(place / "mine.editkit.safetensors") == patch
    assert told[0] == "write the adapter"


def test_equal_patches_are_equal_bytes(any_model: Editable, patch: Patch, tmp_path: Path) -> None:
    for place in ("one", "two"):
        export_lora(replace(patch), any_model.folder, tmp_path / place)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_factors_pick_neurons_and_hold_what_is_added(
    any_model: Editable, patch: Patch, tmp_path: Path
) -> None:
    write_adapter(patch, any_model.folder, tmp_path)
    with safe_open(tmp_path / WEIGHTS, "pt") as opened:
        assert opened.metadata() == {"format": "pt"}
    tensors = load_file(tmp_path / WEIGHTS)
    assert len(tensors) == 2 * len(patch.entries)
    for entry in patch.entries:
        first, second = (
            tensors[f"base_model.model.{entry.module}.lora_{side}.weight"].numpy() for side in "AB"
        )
        assert (first.dtype, second.dtype) == (np.float32, np.float32)
        assert np.array_equal(first, np.eye(entry.sides[0])[entry.neurons])
        original, edited = widen(entry.original, "F32"), widen(entry.edited, "F32")
        assert np.array_equal(original + second.T, edited)


def test_each_module_has_a_rank_and_an_alpha_of_its_own(
    any_model: Editable, patch: Patch, tmp_path: Path
) -> None:
    write_adapter(patch, any_model.folder, tmp_path)
    config = config_of(tmp_path)
    ranks = {entry.module: len(entry.neurons) for entry in patch.entries}
    assert sorted(ranks.values()) == [1, 2]
    assert config["rank_pattern"] == config["alpha_pattern"] == ranks
    assert config["target_modules"] == sorted(ranks)
    assert config["fan_in_fan_out"] == (any_model.text_config.model_type == "gpt2")


@pytest.mark.filterwarnings("ignore:Could not find a config file in tiny")  # it asks the Hub for the base
def test_peft_reads_it_and_writes_the_same_numbers(any_model: Editable, patch: Patch, tmp_path: Path) -> None:
    from peft import LoraConfig, PeftConfig, PeftModel

    (tmp_path / "ours").mkdir()
    write_adapter(patch, any_model.folder, tmp_path / "ours")
    assert config_of(tmp_path / "ours").keys() <= LoraConfig().to_dict().keys()
    model = PeftModel.from_pretrained(load_weights(any_model.folder, "base"), tmp_path / "ours")
    model.save_pretrained(tmp_path / "peft")
    ours, its = (load_file(tmp_path / place / WEIGHTS) for place in ("ours", "peft"))
    assert ours.keys() == its.keys()
    assert all(torch.equal(ours[name], its[name]) for name in ours)
    one, other = (PeftConfig.from_pretrained(tmp_path / place).to_dict() for place in ("ours", "peft"))
    # PEFT writes down the folder that the base was loaded from, where it was told of none it could check.
    assert {key for key in one if one[key] != other[key]} <= {"base_model_name_or_path", "auto_mapping"}


@pytest.mark.parametrize(
    ("known", "given", "written"),
    [
        (("org/base", "a" * 40), None, ("org/base", "a" * 40)),
        (("org/base", None), None, ("org/base", None)),
        (("sha256:" + "a" * 64, None), None, (None, None)),
        (("demo/scenes", None), None, (None, None)),
        (("org/base", "a" * 40), "org/base", ("org/base", "a" * 40)),
        (("org/base", "a" * 40), "org/base@v2", ("org/base", "v2")),
        (("org/base", "a" * 40), "org/other", ("org/other", None)),
        (("sha256:" + "a" * 64, None), "org/base@v2", ("org/base", "v2")),
    ],
)
def test_what_the_base_is_called(
    known: tuple[str, str | None],
    given: str | None,
    written: tuple[str | None, str | None],
    llama: Editable,
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    patch = named(patch_of(llama, random_rows(llama, 1)), *known)
    notes = write_adapter(patch, llama.folder, tmp_path, given)
    config = config_of(tmp_path)
    assert (config["base_model_name_or_path"], config["revision"]) == written
    assert [note for note in notes if "names no base" in note] == list(notes)
    assert bool(notes) == (written[0] is None)
    assert str(llama.folder) not in (tmp_path / CONFIG).read_text()


def test_a_folder_is_named_only_where_the_user_names_it(
    llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch], tmp_path: Path
) -> None:
    patch = named(patch_of(llama, random_rows(llama, 1)), "org/base", "a" * 40)
    write_adapter(patch, llama.folder, tmp_path, str(llama.folder))
    config = config_of(tmp_path)
    assert (config["base_model_name_or_path"], config["revision"]) == (str(llama.folder), None)


def test_rows_that_adding_can_not_reach_are_told_of(
    llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch], tmp_path: Path
) -> None:
    """As `extract` finds them: the rows of another model, whatever was done to it."""
    from peft import PeftModel

    made = patch_of(llama, random_rows(llama, 1, [1]))
    draw = np.random.default_rng(0).normal(size=made.entries[0].edited.shape).astype(np.float32)
    patch = replace(made, entries=(replace(made.entries[0], edited=rounded(draw, "F32")),))
    exported = export_lora(patch, llama.folder, tmp_path / "lora")
    model = PeftModel.from_pretrained(load_weights(llama.folder, "base"), tmp_path / "lora")
    merged = model.merge_and_unload().get_submodule(made.entries[0].module).weight.detach().numpy().T
    missed = np.abs(merged[patch.entries[0].neurons].astype(np.float64) - draw)
    assert 0 < missed.max() < 5e-7
    said = f"{np.count_nonzero(missed)} of {missed.size} values differ from the patch once merged, by "
    assert exported.notes == (
        f"{said}{missed.max():.1e} at most ({made.entries[0].module}): no float32 number added to the base's "
        "gives them",
    )


def test_what_is_there_stays_unless_editkit_wrote_it_and_may_replace_it(
    any_model: Editable, patch: Patch, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter").write_text("dear")
    with pytest.raises(OutputError, match="there already"):
        export_lora(patch, any_model.folder, tmp_path / "own", replace=True)
    export_lora(patch, any_model.folder, tmp_path / "lora", name="first")
    with pytest.raises(OutputError, match="there already"):
        export_lora(patch, any_model.folder, tmp_path / "lora")
    export_lora(patch, any_model.folder, tmp_path / "lora", replace=True)
    assert sorted(path.name for path in (tmp_path / "lora").glob("*.editkit.*")) == [
        "edit.editkit.safetensors"
    ]
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["letter"]


def change(patch: Patch, **fields: Any) -> Patch:
    return replace(patch, entries=(replace(patch.entries[0], **fields), *patch.entries[1:]))


def empty(patch: Patch) -> Patch:
    return replace(patch, entries=())


@pytest.mark.parametrize(
    ("family", "wrong", "said"),
    [
        ("llama", empty, "changes nothing"),
        ("llama", lambda p: change(p, module="model.layers.7.mlp.down_proj"), r"layers\.7.* no such module"),
        ("llama", lambda p: change(p, module="model.layers"), "no such module"),
        ("llama", lambda p: change(p, module="model.layers.0.mlp.down_proj.weight"), "no such module"),
        ("llama", lambda p: change(p, shape=(32, 49)), "another shape"),
        ("llama", lambda p: change(p, orientation="rows", shape=(48, 32)), None),
        ("llama", lambda p: change(p, expert=1), r"another|no such module"),
        ("gpt2", lambda p: change(p, module="transformer.wte"), "can't change a module of its type"),
        ("gpt2", lambda p: change(p, module="transformer.h.0.mlp.act"), "no such module"),
    ],
)
def test_a_patch_of_another_model_is_refused_and_nothing_is_left(
    family: str,
    wrong: Callable[[Patch], Patch],
    said: str | None,
    tiny: Callable[[str], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    model = tiny(family)
    patch = wrong(patch_of(model, random_rows(model, 1)))
    if said is None:  # files may have a matrix turned; the running model says how it keeps it
        export_lora(patch, model.folder, tmp_path / "lora")
        assert not config_of(tmp_path / "lora")["fan_in_fan_out"]
        return
    with pytest.raises(PatchError, match=said) as refused:
        export_lora(patch, model.folder, tmp_path / "lora")
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "config",
    [
        None,
        "",
        "[]",
        "{}",
        '{"model_type": "no such"}',
        '{"model_type": "llama", "hidden_size": "wide"}',
        "\0",
    ],
)
def test_a_base_that_says_nothing_of_itself_is_refused(
    config: str | None, any_model: Editable, patch: Patch, tmp_path: Path
) -> None:
    (tmp_path / "base").mkdir()
    if config is not None:
        (tmp_path / "base" / "config.json").write_text(config)
    with pytest.raises((ModelError, PatchError)) as refused:
        export_lora(patch, tmp_path / "base", tmp_path / "lora")
    assert isinstance(refused.value, EditkitError)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
