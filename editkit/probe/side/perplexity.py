"""Texts from files, in windows that a model can read: how surprised is it by each token?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from editkit.errors import InputError
from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.model.open import quiet
from editkit.plan import Case, PlannedEdit
from editkit.probe.questions import question
from editkit.probe.side.given import Given
from editkit.recipe import Recipe

SUITE: Final = "perplexity"
WINDOW: Final = 512  # tokens


def windows(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> list[Given]:
    """The recipe's texts, cut into windows one after another; the first word of each is given, not scored.

    Raises:
        InputError: a file that can't be read or is no text, a folder without any, or texts without two words.
    """
    files = [file for place in recipe.evaluate.perplexity or () for file in _files(recipe.resolve(place))]
    found = [one for at, file in enumerate(files) for one in _cut(editable, _text(file), at)]
    if files and not found:
        raise InputError(f"evaluate.perplexity: {files[0]} has no text of two words or more to read")
    return found


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    files = sorted(file for file in place.rglob("*.txt") if file.is_file())
    if not files:
        raise InputError(f"evaluate.perplexity: no text files (*.txt) in {place}")
    return files


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"evaluate.perplexity: {file} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"evaluate.perplexity: {file} is no UTF-8 text") from error


def _cut(editable: Editable, text: str, number: int) -> Iterator[Given]:
    room = editable.context_length
    size = WINDOW if room is None else min(WINDOW, room - 16)  # a prompt may get special tokens as well
    with quiet():  # which tells that the text is longer than a sequence may be: so it is cut
        tokens = editable.tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"]
    for start in range(0, len(tokens), max(size, 2)):
        window = tuple(tokens[start : start + max(size, 2)])
        begins = next(
            (n for n in range(1, len(window)) if editable.tokenizer.decode(window[:n]).strip()), None
        )
        if begins is None:
            continue
        asked = question(editable.tokenizer.decode(window[:begins]))
        own = hashlib.sha256(f"{number}:{start}:{window}".encode()).hexdigest()[:16]
        yield Given(SUITE, replace(asked, id=own, group=own), tokens=window[begins:])
