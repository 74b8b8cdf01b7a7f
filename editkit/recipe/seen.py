"""Pictures of an evaluation: to be described (CHAIR), and to be asked about with yes or no (POPE)."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, Tag

from editkit.recipe.parts import CocoImages, Count, DemoImages, DemoSet, Part, Text, distinct, wanting
from editkit.recipe.problems import refused

PopeKind = Literal["random", "popular", "adversarial"]
POPE_KINDS: Final[tuple[PopeKind, ...]] = ("random", "popular", "adversarial")
Kinds = Annotated[tuple[PopeKind, ...], Field(min_length=1), AfterValidator(distinct)]

KnownImages = Annotated[
    Annotated[DemoImages, Tag("<demo>")] | Annotated[CocoImages, Tag("<coco>")],
    wanting(
        "{demo: ...} or {coco: ..., images: ...}: pictures of which all objects are known", "demo", "coco"
    ),
]


class Chair(Part):
    """CHAIR: which objects captions name that their pictures do not show."""

    images: KnownImages | None = Field(
        None, description="pictures to describe for it; without, control and held-out pictures are counted"
    )
    synonyms: Text | None = Field(
        None,
        description="a list of objects in the format of CHAIR's synonyms.txt; without, the one that ships",
    )


def pope_kind_of(file: str) -> PopeKind | None:
    """How the objects of `coco_pope_popular.json` were chosen; None where a name does not tell one way."""
    words = re.split(r"[^a-z]+", PurePath(file).name.lower())
    found = [kind for kind in POPE_KINDS if kind in words]
    return found[0] if len(found) == 1 else None


def _told(files: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[PopeKind, int] = {}
    for at, file in enumerate(files):
        kind = pope_kind_of(file)
        if kind is None:
            raise refused("its name must hold one of random, popular and adversarial", (at,))
        if kind in seen:
            raise refused(f"another {kind} file beside item {seen[kind]}", (at,))
        seen[kind] = at
    return files


class PopeFiles(Part):
    """Questions of the published files."""

    files: Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(_told)] = Field(
        description="question files, such as coco_pope_random.json"
    )
    images: Text = Field(description="the folder of the pictures")
    count: Count | None = Field(None, description="the most pictures that are asked about")


class PopeCoco(Part):
    """Questions made out of a COCO instances file."""

    coco: Text
    images: Text = Field(description="the folder of the pictures")
    count: Count = Field(100, description="the most pictures that are asked about")
    kinds: Kinds = POPE_KINDS
    each: Count = Field(3, description="questions about present objects for a picture, and about absent ones")


class PopeDemo(Part):
    """Questions about pictures of the embedded model's world."""

    demo: DemoSet
    count: Count = Field(100, description="the most pictures that are asked about")
    kinds: Kinds = POPE_KINDS
    each: Count = Field(3, description="questions about present objects for a picture, and about absent ones")


Pope = Annotated[
    Annotated[PopeFiles, Tag("<files>")]
    | Annotated[PopeCoco, Tag("<coco>")]
    | Annotated[PopeDemo, Tag("<demo>")],
    wanting("{files: [...], images: ...}, {coco: ..., images: ...} or {demo: ...}", "files", "coco", "demo"),
]
