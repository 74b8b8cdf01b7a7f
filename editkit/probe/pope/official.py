"""The published files: one JSON object on each line, or all of them in one list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from editkit.errors import InputError
from editkit.probe.pope.poll import Poll, Sort

FORM: Final = '{"question_id": 1, "image": "a.jpg", "text": "Is there a dog in the image?", "label": "yes"}'
LABELS: Final[Mapping[str, bool]] = {"yes": True, "no": False}


def read(file: Path, sort: Sort) -> list[Poll]:
    """All questions of a file, in its order.

    Raises:
        InputError: the file can't be read, or an entry of it is no question.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"evaluate.pope: {file} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"evaluate.pope: {file} is no UTF-8 text") from error
    if text.lstrip().startswith("["):
        entries = [(f"entry {at}", one) for at, one in enumerate(_list(file, text))]
    else:
        lines = ((at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip())
        entries = [(f"line {at}", _object(f"{file}, line {at}", line)) for at, line in lines]
    if not entries:
        raise InputError(f"evaluate.pope: {file} holds no question: a line is {FORM}")
    return [_poll(f"{file}, {place}", one, sort) for place, one in entries]


def _list(file: Path, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"evaluate.pope: {file} is no JSON list ({error})") from error
    return list(found)


def _object(place: str, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"evaluate.pope: {place} is no JSON: a line is {FORM}") from error


def _poll(place: str, entry: Any, sort: Sort) -> Poll:
    if not isinstance(entry, dict):
        raise InputError(f"evaluate.pope: {place} is no question: write it as {FORM}")
    for key in ("image", "text", "label"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise InputError(f"evaluate.pope: {place} has no text under {key!r}: write it as {FORM}")
    label = entry["label"].strip().lower()
    if label not in LABELS:
        raise InputError(f"evaluate.pope: {place}: its label is neither yes nor no")
    return Poll(sort, entry["image"], entry["text"], LABELS[label])
