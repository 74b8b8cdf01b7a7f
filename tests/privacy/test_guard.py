"""What somebody forgot to mask is masked, or not kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editkit.figures.canvas import figure
from editkit.figures.drawn import drawn
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.privacy import Masks
from editkit.privacy.guard import Guard
from editkit.recipe import parse_recipe
from tests.privacy.conftest import RECIPE, SAID


def guard(how: str = "omit", word: str = "gun") -> Guard:
    return Guard(Masks(parse_recipe((RECIPE % (how, how)).replace("suppress: gun", f"suppress: {word!r}"))))


def test_plain_guards_let_everything_pass(tmp_path: Path) -> None:
    plain, image = guard("plain"), Image.new("RGB", (4, 2), "red")
    assert plain.text("a gun") == plain.name("a gun") == "a gun"
    assert plain.data({"a": ["gun"]}) == {"a": ["gun"]}
    assert plain.image(image) is image
    assert plain.shows(figure(1, 1))
    assert plain.keeps(tmp_path / "no file is read")


def test_texts_names_and_data() -> None:
    found = guard()
    assert found.text("two Guns") == "two [omitted]"
    assert found.name("loss/gun_1") == "loss/omitted_1"
    assert found.name("loss/target") == "loss/target"
    given = {"a": [{"b": "my gun"}, 1, None, True]}
    assert found.data(given) == {"a": [{"b": "my [omitted]"}, 1, None, True]}


def test_words_as_other_languages_write_them() -> None:
    assert guard(word="R&D").text("<b>R&amp;D</b>") == "<b>[omitted]</b>"
    assert guard(word="Käse").text(json.dumps("viel Käse")) == '"viel [omitted]"'
    assert guard(word="<gun>").text(r"a \<gun\> &lt;gun&gt;") == "a [omitted] [omitted]"


def test_pictures_in_pages_stay_whole() -> None:
    uri = "data:image/png;base64," + base64.b64encode(b"\x82\xe9" * 9).decode() + "/gun/guns+gun="
    assert guard().text(f"a gun <img src='{uri}'> gun") == f"a [omitted] <img src='{uri}'> [omitted]"


def test_words_of_the_pages_themselves_stay() -> None:
    page = "<table><caption>95 % intervals</caption></table>"
    assert guard(word="table").text(page) == page
    assert not SAID.search(guard(word="table").text("a kite on the table"))


def test_figures_with_words_or_pictures() -> None:
    found = guard()
    titled, seen, shades = figure(1, 1), figure(1, 1), figure(1, 1)
    titled.subplots().set_title("A Gun")
    seen.subplots().imshow(np.zeros((2, 2, 3)))
    shades.subplots().imshow(np.zeros((2, 2)))
    for one, shown in ((titled, False), (seen, False), (shades, True)):
        assert found.shows(one) is found.shows(drawn(one)) is shown


def test_pictures_are_blank() -> None:
    assert guard().image(Image.new("RGB", (3, 2), "red")).getcolors() == [(6, (204, 204, 204))]


def test_patches_that_spell_the_word(
    llama: Editable,
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    patch = patch_of(llama, random_rows(llama, seed=1))
    for name, edits, kept in (("a", ("suppress GUNS -> x",), False), ("b", ("hmac-0123456789abcdef",), True)):
        replace(patch, provenance=replace(patch.provenance, edits=edits)).save(tmp_path / name)
        assert guard().keeps(tmp_path / name) is kept
