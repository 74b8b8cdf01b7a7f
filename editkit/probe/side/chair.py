"""Pictures to be described, of which all objects of some kinds are known (CHAIR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from editkit.demo.language import CAPTION_PROMPT
from editkit.errors import InputError
from editkit.events import Tell
from editkit.model.editable import Editable
from editkit.objects import Vocabulary, coco, listed, read
from editkit.plan import Case, Known, PlannedEdit, Question
from editkit.probe.pictures import pictures
from editkit.probe.questions import question
from editkit.probe.references import captions
from editkit.probe.side.given import Given
from editkit.recipe import CocoImages, Recipe

SUITE: Final = "chair"
SEED: Final = 2_000  # pictures of the demo world come from no seed that probe or control take


def pictured(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> Sequence[Given]:
    """One caption for each picture of `evaluate.chair.images`.

    Raises:
        InputError: see `pictures`, `captions` and `Lists`; or pictures for a model that takes none.
    """
    chair = recipe.evaluate.chair
    if chair is None or chair.images is None:
        return ()
    if not editable.accepts_images:
        raise InputError(f"evaluate.chair: {editable.name} takes no pictures: leave evaluate.chair out")
    shown = pictures(recipe, chair.images, recipe.seed + SEED)
    chat = editable.has_chat_template if recipe.probe.chat == "auto" else recipe.probe.chat
    asked = [question(CAPTION_PROMPT, [picture], chat=chat) for picture in shown]
    lists, written = Lists.of(recipe), captions(recipe)
    return [
        Given(SUITE, one, known=Known(references=written(one), vocabulary=lists.of_question(one)))
        for one in asked
    ]


def check(recipe: Recipe) -> None:
    """What can be known of lists and pictures before the long work.

    Raises:
        InputError: a list of objects that can't be read, or no such file or folder.
    """
    Lists.of(recipe)
    chair = recipe.evaluate.chair
    if chair is not None and isinstance(chair.images, CocoImages):
        if not recipe.resolve(chair.images.coco).is_file():
            raise InputError(f"evaluate.chair.images.coco: no file {recipe.resolve(chair.images.coco)}")
        if not recipe.resolve(chair.images.images).is_dir():
            raise InputError(f"evaluate.chair.images.images: no folder {recipe.resolve(chair.images.images)}")


def with_objects(recipe: Recipe, cases: Sequence[Case]) -> list[Case]:
    """The cases with the list of kinds that CHAIR counts in them, where it has no pictures of its own."""
    chair = recipe.evaluate.chair
    if not recipe.evaluate.counts_objects or (chair is not None and chair.images is not None):
        return list(cases)
    lists = Lists.of(recipe)
    return [
        replace(case, known=replace(case.known, vocabulary=lists.of_question(case.question)))
        if case.role in ("control", "held_out")
        else case
        for case in cases
    ]


@dataclass(frozen=True)
class Lists:
    """The list of objects for the kinds that were looked for in a picture; `own` is the user's."""

    own: Vocabulary | None
    made: dict[frozenset[str], Vocabulary] = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: Recipe) -> Lists:
        """Those of a recipe.

        Raises:
            InputError: `evaluate.chair.synonyms` can't be read.
        """
        chair = recipe.evaluate.chair
        given = None if chair is None else chair.synonyms
        return cls(None if given is None else read(recipe.resolve(given)))

    def of_question(self, asked: Question) -> Vocabulary | None:
        """The list for a question's pictures; None where objects of theirs may be unknown."""
        looked_for = [picture.kinds for picture in asked.images]
        if not looked_for or None in looked_for:
            return None
        return self.of_kinds(frozenset.intersection(*(kinds for kinds in looked_for if kinds is not None)))

    def of_kinds(self, kinds: frozenset[str]) -> Vocabulary:
        """The user's list, else ours for COCO's categories, else the kinds themselves.

        Raises:
            InputError: the user's list does not name all of the kinds.
        """
        if kinds not in self.made:
            ours = coco() if kinds <= set(coco().kinds) else listed(sorted(kinds))
            self.made[kinds] = (self.own or ours).only(sorted(kinds))
        return self.made[kinds]
