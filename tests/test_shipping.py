"""What a recipe's `export` writes, where, and when it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editkit.errors import OutputError, RecipeError
from editkit.events import Event, Noted
from editkit.export.checking import check_folder
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.recipe import Recipe, parse_recipe
from editkit.shipping import destinations, listed, shippable, shipped, written

TEXT = """
version: 1
name: tiny
model: org/base
probe: {prompts: [a]}
edits: [{suppress: gun}]
export: EXPORT
"""
ALL = "{merged: true, lora: true, hub: true}"


def recipe_of(export: str, folder: Path | None = None) -> Recipe:
    return parse_recipe(TEXT.replace("EXPORT", export), folder=folder)


@pytest.fixture
def patch(llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]) -> Patch:
    made = patch_of(llama, random_rows(llama, 1))
    base = replace(made.base, id="org/base")
    return replace(made, base=base, provenance=replace(made.provenance, accepted=True))


class Heard:
    """Listens, and keeps texts as a run does."""

    def __init__(self) -> None:
        self.notes: list[Noted] = []
        self.kept: dict[str, str] = {}

    def tell(self, event: Event) -> None:
        if isinstance(event, Noted):
            self.notes.append(event)

    def keep(self, text: str, place: str) -> None:
        self.kept[place] = text


def test_places_stand_beside_the_patch_or_where_the_recipe_says(tmp_path: Path) -> None:
    out = tmp_path / "out" / "a.editkit.safetensors"
    assert destinations(recipe_of("{}"), out) == {}
    assert destinations(recipe_of(ALL), out) == {
        kind: tmp_path / "out" / f"a-{kind}" for kind in ("merged", "lora", "hub")
    }
    named = recipe_of("{hub: made/hub, merged: false}", tmp_path / "recipes")
    assert destinations(named, out) == {"hub": tmp_path / "recipes" / "made" / "hub"}


def test_a_plan_names_them(tmp_path: Path) -> None:
    lines = written(recipe_of("{lora: true}"), Path("tiny.editkit.safetensors"))
    assert lines[:2] == ("tiny.editkit.safetensors", "tiny-lora: a LoRA adapter, if the edit is accepted")
    assert len(lines) == 3


def test_all_forms_are_written_whole_and_told(patch: Patch, llama: Editable, tmp_path: Path) -> None:
    out, heard = tmp_path / "tiny.editkit.safetensors", Heard()
    patch.save(out)
    made = shipped(recipe_of(ALL), patch, out, llama.folder, force=False, tell=heard.tell, keep=heard.keep)
    assert [one.kind for one in made] == ["merged", "lora", "hub"]
    assert all(check_folder(one.folder).whole for one in made)
    assert json.loads(heard.kept["exports.json"]) == json.loads(json.dumps(listed(made)))
    assert listed(made)["lora"]["folder"] == str(tmp_path / "tiny-lora")
    assert any("licence" in note.text for note in heard.notes)
    # The patch was made from another recipe: the card does not show this one as its own.
    assert "## Recipe" not in (tmp_path / "tiny-hub" / "README.md").read_text()
    assert any("from another recipe" in note.text for note in heard.notes)


def test_a_rejected_edit_is_not_exported_and_one_is_told_how(
    patch: Patch, llama: Editable, tmp_path: Path
) -> None:
    heard, out = Heard(), tmp_path / "tiny.editkit.safetensors"
    rejected = replace(patch, provenance=replace(patch.provenance, accepted=False))
    given: Any = {"force": False, "tell": heard.tell, "keep": heard.keep}
    assert shipped(recipe_of("{hub: true}"), rejected, out, llama.folder, **given) == ()
    (note,) = heard.notes
    assert note.warning
    assert f"editkit export {out} --hub {tmp_path / 'tiny-hub'} --allow-rejected" in note.text
    assert heard.kept == {}
    assert list(tmp_path.iterdir()) == []


def test_nothing_asked_is_nothing_done(patch: Patch, llama: Editable, tmp_path: Path) -> None:
    heard = Heard()
    given: Any = {"force": False, "tell": heard.tell, "keep": heard.keep}
    rejected = replace(patch, provenance=replace(patch.provenance, accepted=False))
    for one in (patch, rejected):
        assert shipped(recipe_of("{}"), one, tmp_path / "a", llama.folder, **given) == ()
    assert (heard.notes, heard.kept) == ([], {})


def test_a_taken_place_is_told_before_the_long_work(tmp_path: Path) -> None:
    out, recipe = tmp_path / "tiny.editkit.safetensors", recipe_of("{hub: true}")
    (tmp_path / "tiny-hub").mkdir()
    (tmp_path / "tiny-hub" / "mine.txt").write_text("a")
    for force in (False, True):
        with pytest.raises(OutputError, match="is there already"):
            shippable(recipe, out, force)
    (tmp_path / "tiny-hub" / "editkit.json").write_text("{}")
    with pytest.raises(OutputError, match="so it is not replaced"):
        shippable(recipe, out, True)
    with pytest.raises(OutputError, match="is there already"):
        shippable(recipe, out, False)


def test_two_forms_can_not_share_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"export\.hub: the same folder as export\.lora"):
        shippable(recipe_of("{lora: a, hub: ./a}", tmp_path), tmp_path / "b", False)


def test_where_an_export_fails_the_patch_is_named(patch: Patch, llama: Editable, tmp_path: Path) -> None:
    out, heard = tmp_path / "tiny.editkit.safetensors", Heard()
    (tmp_path / "tiny-lora").mkdir()
    (tmp_path / "tiny-lora" / "mine.txt").write_text("a")
    with pytest.raises(OutputError, match=r"tiny\.editkit\.safetensors is written, but not everything was"):
        shipped(
            recipe_of("{lora: true}"), patch, out, llama.folder, force=False, tell=heard.tell, keep=heard.keep
        )
    assert (tmp_path / "tiny-lora" / "mine.txt").read_text() == "a"
