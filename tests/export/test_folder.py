"""A folder for the Hub: what is in it, that it loads, that it is always the same, that it tells no word."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editkit.errors import OutputError, PatchError, UsageError
from editkit.export.checking import check_folder
from editkit.export.folder import export_hub
from editkit.export.leaks import leaks
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.patch.manifest import Manifest
from editkit.recipe import Recipe

Asked = Callable[..., Recipe]
Told = Callable[..., Patch]
PREPARING = {"tokenizer.json", "tokenizer_config.json", "processor_config.json", "chat_template.jinja"}
OWN = {"README.md", "adapter_config.json", "adapter_model.safetensors", "editkit.json", "provenance.json"}


@pytest.fixture
def base(llava: Editable) -> Path:
    return Path(llava.folder)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_it_has_everything_but_a_config_and_the_weights(
    asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    recipe = asked()
    made = export_hub(told(recipe), base, tmp_path / "hub", name="redact", recipe=recipe)
    found = files(tmp_path / "hub")
    assert set(found) == OWN | PREPARING | {"redact.editkit.safetensors"}
    assert all(found[name] == (base / name).read_bytes() for name in PREPARING)
    assert (made.kind, made.n_files, made.n_bytes) == ("hub", len(found), sum(map(len, found.values())))
    assert made.notes == (
        "the base's card names no licence: give one with --license, or add it to README.md",
    )
    assert Patch.load(tmp_path / "hub" / "redact.editkit.safetensors") == told(recipe)
    assert check_folder(tmp_path / "hub").whole
    assert json.loads(found["adapter_config.json"])["base_model_name_or_path"] == "org/base"


def test_equal_edits_are_equal_bytes_and_name_nothing_of_this_machine(
    asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "pictures" / "gunshots").mkdir(parents=True)
    one = export_hub(told(asked()), base, tmp_path / "one", recipe=asked()).folder
    (tmp_path / "elsewhere").mkdir()
    two = export_hub(told(asked()), base, tmp_path / "elsewhere" / "two", recipe=asked()).folder
    assert files(one) == files(two)
    for content in files(one).values():
        assert str(tmp_path).encode() not in content
        assert str(base).encode() not in content
        assert b"gunshots" not in content


@pytest.mark.parametrize("how", ["hash", "omit"])
def test_no_word_is_told_with_the_recipe_or_without(
    how: str, asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    recipe = asked(how)
    folder = export_hub(told(recipe), base, tmp_path / "hub", recipe=recipe).folder
    assert leaks(folder, recipe=recipe) == ()
    text = " ".join(files(folder)[name].decode() for name in ("README.md", "provenance.json")).lower()
    assert not any(word in text for word in ("gun", "fork", "spoon"))
    assert "is there a " in text
    assert "no word could be looked for" not in str(export_hub(told(recipe), base, tmp_path / "a").notes) or (
        how == "omit"
    )


def test_plain_words_are_shown(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    folder = export_hub(told(asked("plain")), base, tmp_path / "hub", recipe=asked("plain")).folder
    text = (folder / "README.md").read_text()
    assert "suppress gun, hand gun" in text
    assert "Is there a gun here?" in text
    assert leaks(folder) == ()


def test_what_would_tell_a_word_is_not_written(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    for name, given in (("no-gun", {"recipe": asked()}), ("spoons", {})):
        with pytest.raises(PatchError, match="the name of the file") as refused:
            export_hub(told(asked()), base, tmp_path / "hub", name=name, **given)
        assert "gun" not in str(refused.value)
        assert "spoon" not in str(refused.value)
    with pytest.raises(PatchError, match=r"provenance\.json: line \d+: word 1.*redact\.editkit"):
        export_hub(told(asked("plain")), base, tmp_path / "hub", name="redact", recipe=asked("hash"))
    assert list(tmp_path.iterdir()) == []


def test_a_word_added_by_hand_is_found_by_its_hash(
    asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    folder = export_hub(told(asked()), base, tmp_path / "hub").folder
    assert leaks(folder) == ()
    card = folder / "README.md"
    card.write_text(card.read_text() + "\nIt no longer says Hand  Guns.\n")
    (one, two) = leaks(folder)
    assert one.file == two.file == "README.md"
    assert one.place == two.place == f"line {len(card.read_text().splitlines())}"
    assert {one.which, two.which} <= set(_hashes(folder))


def _hashes(folder: Path) -> list[str]:
    from editkit.export.hidden import HASHED

    (name, _), *_ = Manifest.read(folder).patches
    edits = " ".join(Patch.load(folder / name).provenance.edits)
    return [f"hmac-{digits}" for digits in HASHED.findall(edits)]


def test_without_recipe_and_hashes_nothing_can_be_looked_for(
    asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    made = export_hub(told(asked("omit")), base, tmp_path / "hub")
    assert "no word could be looked for" in made.notes[0]
    with pytest.raises(PatchError, match="give the recipe it was made from with --recipe"):
        leaks(made.folder)


def test_nor_without_the_key_that_made_the_hashes(
    asked: Asked, told: Told, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = told(asked())
    monkeypatch.setenv("EDITKIT_HOME", str(tmp_path / "another"))
    made = export_hub(patch, base, tmp_path / "hub")
    assert "no word could be looked for" in made.notes[0]
    assert not (tmp_path / "another").exists()


def test_another_recipe_is_noted(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    other = asked(
        text="seed: 5" + asked().to_yaml().replace("seed: 0\n", "\n").replace("version", "\nversion")
    )
    assert other.seed == 5
    notes = export_hub(told(asked()), base, tmp_path / "hub", recipe=other).notes
    assert any("from another recipe" in note for note in notes)


def test_a_rejected_edit_is_exported_only_when_asked(
    asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    patch = told(asked(), accepted=False)
    with pytest.raises(PatchError, match="--allow-rejected"):
        export_hub(patch, base, tmp_path / "hub")
    assert not (tmp_path / "hub").exists()
    export_hub(patch, base, tmp_path / "hub", allow_rejected=True)
    assert "**Rejected**" in (tmp_path / "hub" / "README.md").read_text()


def test_another_base_is_refused(
    asked: Asked, told: Told, tiny: Callable[..., Editable], tmp_path: Path
) -> None:
    with pytest.raises(PatchError, match="base differs"):
        export_hub(told(asked()), tiny("llama").folder, tmp_path / "hub")
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_overwritten_only_when_asked(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    export_hub(told(asked()), base, tmp_path / "hub", name="old")
    with pytest.raises(OutputError, match="is there already"):
        export_hub(told(asked()), base, tmp_path / "hub")
    export_hub(told(asked()), base, tmp_path / "hub", replace=True)
    assert not (tmp_path / "hub" / "old.editkit.safetensors").exists()


@pytest.mark.parametrize("name", ["./base", "/base", "base", "~/a/b"])
def test_a_base_is_named_as_the_hub_has_it(
    name: str, asked: Asked, told: Told, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no name on the Hub"):
        export_hub(told(asked()), base, tmp_path / "hub", base_name=name)


def test_a_local_base_gets_a_name(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    patch = told(asked(), base=f"sha256:{'0' * 64}")
    unnamed = export_hub(patch, base, tmp_path / "unnamed")
    assert "base_model:" not in (unnamed.folder / "README.md").read_text()
    named = export_hub(patch, base, tmp_path / "named", base_name="org/other@v1").folder
    assert "\nbase_model: org/other\n" in (named / "README.md").read_text()
    config = json.loads((named / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/other", "v1")


def test_without_an_adapter_the_patch_is_enough(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    odd = tmp_path / "base"
    shutil.copytree(base, odd)
    # PEFT is told modules of the running model, and no transformers knows this one.
    config = json.loads((odd / "config.json").read_text()) | {"model_type": "unheard"}
    (odd / "config.json").write_text(json.dumps(config))
    made = export_hub(told(asked()), odd, tmp_path / "hub")
    assert not {"adapter_config.json", "adapter_model.safetensors"} & set(files(made.folder))
    assert any("there is no adapter here, only the patch" in note for note in made.notes)
    assert not any(str(tmp_path).encode() in content for content in files(made.folder).values())
    text = (made.folder / "README.md").read_text()
    assert "library_name: editkit" in text
    assert "peft" not in text.lower().split("## what was changed")[0]
    assert check_folder(made.folder).whole


def test_what_prepares_inputs_loads_from_it(asked: Asked, told: Told, base: Path, tmp_path: Path) -> None:
    from PIL import Image
    from transformers import AutoProcessor, AutoTokenizer

    folder = export_hub(told(asked()), base, tmp_path / "hub").folder
    picture = Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3))
    inputs = [
        AutoProcessor.from_pretrained(place)(images=picture, text="<image> a gun", return_tensors="np")
        for place in (base, folder)
    ]
    assert all((inputs[0][key] == inputs[1][key]).all() for key in inputs[0])
    tokens = [AutoTokenizer.from_pretrained(place)("the fork") for place in (base, folder)]
    assert tokens[0]["input_ids"] == tokens[1]["input_ids"]


def test_plain_transformers_loads_the_edited_model(
    asked: Asked, told: Told, base: Path, llava: Editable, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForImageTextToText

    from editkit.model.patching import patched

    folder: Any = export_hub(told(asked()), base, tmp_path / "hub").folder
    config = json.loads((folder / "adapter_config.json").read_text())
    config |= {"base_model_name_or_path": str(base), "revision": None}  # the Hub's is not to be had here
    (folder / "adapter_config.json").write_text(json.dumps(config))
    model = AutoModelForImageTextToText.from_pretrained(folder)
    tokens = torch.tensor([[1, 50, 60, 70, 80]])
    with torch.no_grad():
        got = model(input_ids=tokens).logits
        before = llava.model(input_ids=tokens).logits
        with patched(llava.model, told(asked())):
            wanted = llava.model(input_ids=tokens).logits
    assert (got - wanted).abs().max() < 1e-4 < (before - wanted).abs().max()
