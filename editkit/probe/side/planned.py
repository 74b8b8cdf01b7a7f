"""Every suite a recipe asks for -> cases of the role `side`, asked of the unedited model once."""

from __future__ import annotations

from collections.abc import Sequence

from editkit.events import Noted, Tell, stage
from editkit.methods import load
from editkit.model.editable import Editable
from editkit.model.forward import surprises
from editkit.model.generate import answers
from editkit.plan import Case, PlannedEdit
from editkit.probe.side import SOURCES
from editkit.probe.side.given import Given, Source
from editkit.recipe import Recipe


def side_cases(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> tuple[Case, ...]:
    """The cases of all suites; none of them is an input of another role, or shares a picture with one that
    is solved on.

    Raises:
        InputError: inputs that can't be read.
    """
    sources: list[Source] = [load(SOURCES, name, "evaluate") for name in SOURCES]
    given = [one for source in sources for one in source(recipe, editable, edits, cases, tell)]
    kept = admitted(given, cases)
    if len(kept) < len(given):
        left_out = f"{len(given) - len(kept)} of {len(given)} inputs for side effects are left out"
        tell(Noted(f"{left_out}: the edit is solved on the same input or picture, or they come twice"))
    if not kept:
        return ()
    asked = [one for one in kept if one.tokens is None]
    read = [one for one in kept if one.tokens is not None]
    settings = recipe.evaluate
    with stage(tell, "ask for side effects", len(kept)) as advance:
        said = answers(
            editable,
            [one.question for one in asked],
            max_new_tokens=settings.max_new_tokens,
            batch_size=settings.batch_size,
            advance=advance,
        )
        nats = surprises(
            editable, [one.question for one in read], [one.tokens or () for one in read], advance=advance
        )
    found = [_case(one, answer.text, answer.tokens, None) for one, answer in zip(asked, said, strict=True)]
    for one, own in zip(read, nats, strict=True):
        tokens = one.tokens or ()
        text = editable.tokenizer.decode(tokens, skip_special_tokens=True)
        found.append(_case(one, text, tokens, own))
    return tuple(found)


def admitted(given: Sequence[Given], cases: Sequence[Case]) -> list[Given]:
    """Each input once in its suite, without those that have another role or share a group with what is
    solved on."""
    taken = {(case.question.id, case.question.chat) for case in cases}
    solved = {case.question.group for case in cases if case.role in ("edit", "preserve")}
    once = {(one.suite, one.question.id, one.question.chat): one for one in given}
    return [
        one
        for one in once.values()
        if (one.question.id, one.question.chat) not in taken and one.question.group not in solved
    ]


def _case(one: Given, said: str, tokens: tuple[int, ...], nats: tuple[float, ...] | None) -> Case:
    return Case(one.question, "side", said, tokens, one.edits, suite=one.suite, known=one.known, nats=nats)
