"""The families of models that are tested; `tests/families/table.py` writes the file that ships."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("families.json")


@dataclass(frozen=True)
class Place:
    """Where W_out is: in the running model and in the files, `{}` for the layer (and the expert)."""

    path: str
    tensor: str
    orientation: str
    experts: bool


@dataclass(frozen=True)
class Known:
    """A family, as a tiny checkpoint of it was found to be.

    Attributes:
        kind: transformers' class.
        checked: the real checkpoint whose layout and processor the tiny one has; `notes` what is special.
        unembedding: the module that makes logits; `tied` whether it shares the input embeddings' weight.
    """

    name: str
    kind: str
    checked: str
    notes: str
    places: tuple[Place, ...]
    unembedding: str
    tied: bool
    image_tokens: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Every family, and what each of them is taken through."""

    families: tuple[Known, ...]
    checks: tuple[str, ...]


def known() -> Table:
    """The families that are tested."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    families = [
        Known(
            **{
                **row,
                "places": tuple(Place(**place) for place in row["places"]),
                "image_tokens": tuple(row["image_tokens"]),
            }
        )
        for row in document["families"]
    ]
    return Table(tuple(families), tuple(document["checks"]))
