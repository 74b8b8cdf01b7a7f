"""Pictures without what an edit speaks of: painted over, or pairs of the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from editkit.errors import InputError
from editkit.events import Noted, Tell, stage
from editkit.plan import Case, EditPlan, Painted, Picture, PlannedEdit, Twin
from editkit.probe import pairs
from editkit.probe.elsewhere import elsewhere
from editkit.probe.painting import Painter
from editkit.recipe import Recipe
from editkit.region import Region

MOST: Final = 0.9  # the share of a picture beyond which too little is left of it


def check(recipe: Recipe) -> None:
    """Whether twins can be made here, as far as that is known before any model is loaded.

    Raises:
        RecipeError: no such inpainter, or a setting it does not take.
        UsageError: a package is not installed.
        InputError: the inpainter's model or the folder of `probe.twins.pairs` is not there.
    """
    if recipe.probe.twins.pairs is not None:
        pairs.check(recipe.resolve(recipe.probe.twins.pairs))
    Painter.of(recipe).inpainter.check()


def with_twins(recipe: Recipe, plan: EditPlan, *, nulls: int, tell: Tell) -> EditPlan:
    """A plan whose edit cases have twins: for each of their edits, the picture without the edit's source.

    What is painted over are the picture's regions of all kinds that a source form of the edit names, grown
    by `probe.twins.grow` pixels; in the user's own pairs it is what differs. The first `probe.twins.count`
    pictures of an edit get twins, and all cases of a picture the same ones. A picture of which the object
    covers more than 90 % is passed over, and `tell` hears of it. Pictures stay in files: memory holds only
    their regions.

    Args:
        nulls: null twins beside each: random regions of equal area, painted over in the same way. They hang
            on the recipe's seed and the picture; of more, the first are the same.

    Raises:
        InputError: an edit without any picture that shows its source at a known place, and something else
            as well; an empty mask, or a twin that is equal to its picture.
        OutputError, RecipeError, UsageError: see `check` and `Painter.over`.
    """
    check(recipe)
    painter = Painter.of(recipe)
    count = recipe.probe.twins.count
    works = [_works(recipe, plan, edit) for edit in plan.edits]
    made: dict[tuple[int, Picture], Twin] = {}
    total = sum(min(count, len(own)) for own in works) * (1 + nulls)
    with stage(tell, "paint twins", total) as advance:
        for own in works:
            for twin, picture in _twins(own, painter, recipe.seed, nulls, count, tell, advance):
                made[twin.edit, picture] = twin
    return replace(plan, cases=tuple(_given(case, made) for case in plan.cases))


@dataclass(frozen=True)
class _Work:
    """A picture that shall lose what an edit speaks of: some kinds of object, or what its own twin lacks."""

    edit: PlannedEdit
    picture: Picture
    grow: int
    kinds: Sequence[str]
    pair: Path | None

    def region(self) -> Region:
        """What is painted over."""
        from skimage.morphology import isotropic_dilation

        if self.pair is not None:
            return pairs.difference(self.picture, self.pair)
        covered = np.logical_or.reduce([self.picture.regions[kind]().mask() for kind in self.kinds])
        if not covered.any():
            where = f"edits[{self.edit.number}]: {self.picture.name}"
            raise InputError(f"{where}: the object's mask is empty: correct it, or leave the picture out")
        return Region.of(isotropic_dilation(covered, self.grow) if self.grow else covered)

    def without(self, painter: Painter, region: Region) -> Painted:
        name, shown = f"{self.picture.name}, painted over", self.picture.contains
        if self.pair is not None:
            source: Path | bytes = self.pair
        else:
            source = painter.over(self.picture, region, name, must_change=True).picture.source
        left = None if shown is None else frozenset(k for k in shown if not self.edit.says_source(k))
        return Painted(Picture(name, source, left), region)


def _works(recipe: Recipe, plan: EditPlan, edit: PlannedEdit) -> list[_Work]:
    """The pictures of an edit's cases whose object can be taken away.

    Raises:
        InputError: there are none.
    """
    section = recipe.probe.twins
    folder = None if section.pairs is None else recipe.resolve(section.pairs)
    asked = [case.question.images for case in plan.of("edit", edit.number)]
    shown = dict.fromkeys(images[0] for images in asked if len(images) == 1)
    found = []
    for picture in shown:
        kinds = [kind for kind in sorted(picture.regions) if edit.says_source(kind)]
        pair = None if folder is None else pairs.twin_file(folder, picture, edit)
        if pair is not None or (kinds and folder is None):
            found.append(_Work(edit, picture, section.grow, kinds, pair))
    if not found:
        raise InputError(f"edits[{edit.number}]: {_missing(edit, len(shown), folder)}")
    return found


def _missing(edit: PlannedEdit, count: int, folder: Path | None) -> str:
    if not count:
        return "its edit cases have no picture to paint over: choose a locate.method that needs no twins"
    if folder is not None:
        return (
            f"none of the {count} pictures it is solved on has a twin in {folder}: name twins as their "
            "pictures, or <picture's name without its ending>.<word>.png"
        )
    if edit.when == "absent":
        return (
            "with `when: absent` it is solved on pictures that do not show the source: give pictures "
            "without it as probe.twins.pairs, or choose a locate.method that needs no twins"
        )
    return (
        f"none of the {count} pictures it is solved on shows the source at a known place: give probe.images "
        "with masks, boxes or COCO instances, or twins of your own as probe.twins.pairs"
    )


def _twins(
    works: Sequence[_Work],
    painter: Painter,
    seed: int,
    nulls: int,
    count: int,
    tell: Tell,
    advance: Callable[..., Any],
) -> list[tuple[Twin, Picture]]:
    """The twins of one edit's first `count` pictures, and what there is to say about them."""
    found: list[tuple[Twin, Picture]] = []
    full: list[str] = []
    overlaps: list[float] = []
    where = f"edits[{works[0].edit.number}]"
    for work in works:
        picture, region = work.picture, work.region()
        if region.share > MOST:
            full.append(f"{picture.name} ({region.share:.0%})")
            continue
        without = work.without(painter, region)
        advance()
        others = []
        for number, moved in enumerate(elsewhere(region, nulls, _seed(seed, picture, region)), 1):
            others.append(painter.over(picture, moved.region, f"{picture.name}, random region {number}"))
            overlaps.append(moved.overlap)
            advance()
        found.append((Twin(work.edit.number, without, tuple(others)), picture))
        if len(found) == count:
            break
    if full:
        names = f"{', '.join(full[:3])}{' and others' if full[3:] else ''}"
        who = f"{where}: the object covers nearly all of {names}"
        if not found:
            raise InputError(f"{who}: give pictures that show something else as well")
        tell(Noted(f"{who}: no twins of these", warning=True))
    if any(overlaps):
        crowded = f"{np.count_nonzero(overlaps)} of {len(overlaps)} random regions have no room beside the"
        tell(Noted(f"{where}: {crowded} object, and overlap it by up to {max(overlaps):.0%}", warning=True))
    return found


def _seed(seed: int, picture: Picture, region: Region) -> bytes:
    shown = hashlib.sha256(picture.encoded()).digest()
    return hashlib.sha256(f"{seed}:".encode() + shown + region.bits).digest()


def _given(case: Case, made: Mapping[tuple[int, Picture], Twin]) -> Case:
    if case.role != "edit" or len(case.question.images) != 1:
        return case
    found = [made.get((edit, case.question.images[0])) for edit in case.edits]
    return replace(case, twins=tuple(twin for twin in found if twin is not None))
