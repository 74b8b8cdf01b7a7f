"""Texts from files, cut so that a model can read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import InputError
from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.model.forward import surprises
from editkit.probe.side.given import Given
from editkit.probe.side.perplexity import WINDOW, windows
from editkit.recipe import parse_recipe


def cut(editable: Editable, folder: Path, paths: str) -> list[Given]:
    recipe = parse_recipe(
        "{version: 1, name: a, model: x, edits: [{suppress: gun}], probe: {prompts: [b]}, "
        f"evaluate: {{perplexity: {paths}}}}}",
        folder=folder,
    )
    return windows(recipe, editable, (), (), nobody)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_every_token_but_the_first_of_a_window_is_read_once(
    tiny: Callable[..., Editable],
    tmp_path: Path,
    family: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    editable = tiny(family)
    text = "the gun and a fork on the table " * 40
    (tmp_path / "a.txt").write_text(text)
    found = cut(editable, tmp_path, "a.txt")
    assert not caplog.records
    tokens = editable.tokenizer(text, add_special_tokens=False)["input_ids"]
    size = min(WINDOW, (editable.context_length or 10**9) - 16)
    assert len(found) == -(-len(tokens) // size) > 1
    read = [len(one.tokens or ()) for one in found]
    assert read[0] == size - 1
    for at, one in enumerate(found):
        window = tokens[at * size : (at + 1) * size]
        assert 1 <= len(window) - read[at] <= 2, "a space alone is no word"
        assert tuple(window[-read[at] :]) == one.tokens
    assert len({one.question.id for one in found}) == len(found), "what is written twice counts twice"
    nats = surprises(editable, [one.question for one in found], [one.tokens or () for one in found])
    assert [len(own) for own in nats] == read
    assert all(value > 0 for own in nats for value in own)


def test_a_folder_is_all_its_texts(llama: Editable, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.txt", "in/a.txt", "c.md"):
        (tmp_path / name).write_text(f"the gun {name}")
    assert len(cut(llama, tmp_path, ".")) == 2
    assert len(cut(llama, tmp_path, "[b.txt, c.md]")) == 2


def test_no_texts_are_asked_for(llama: Editable, tmp_path: Path) -> None:
    assert cut(llama, tmp_path, "null") == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.txt", None, "none.txt can't be read"),
        ("bad.txt", b"\xff\xfe\x00a", "no UTF-8 text"),
        ("blank.txt", b" \n ", "no text of two words"),
        ("dir", None, "can't be read|no text files"),
    ],
)
def test_texts_that_are_none(
    llama: Editable, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    if name == "dir":
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=told):
        cut(llama, tmp_path, name)
