"""Every suite a recipe asks for -> cases of the role `side`, asked of the unedited model once."""

from __future__ import annotations

from collections.abc import Sequence

from editkit.events import Noted, Tell, stage
from editkit.methods import load
from editkit.model.editable import Editable
from editkit.model.forward import surprises
from editkit.model.generate import Answer, answers
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
    distinct = len({(one.suite, one.question.id, one.question.chat) for one in given})
    if len(kept) < distinct:
        why = "they have another role, or the edit is solved on the same picture"
        tell(Noted(f"{distinct - len(kept)} of {distinct} inputs for side effects are left out: {why}"))
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
    found = [
        Case(
            one.question,
            "side",
            answer.text,
            answer.tokens,
            _said_of(edits, one, answer) if one.edits is None else one.edits,
            suite=one.suite,
            known=one.known,
        )
        for one, answer in zip(asked, said, strict=True)
    ]
    for one, own in zip(read, nats, strict=True):
        tokens = one.tokens or ()
        text = editable.tokenizer.decode(tokens, skip_special_tokens=True)
        found.append(Case(one.question, "side", text, tokens, suite=one.suite, known=one.known, nats=own))
    return tuple(found)


def _said_of(edits: Sequence[PlannedEdit], one: Given, answer: Answer) -> tuple[int, ...]:
    """The edits whose source an answer says where it should not."""
    shown = one.question.contains() or ()
    return tuple(
        edit.number
        for edit in edits
        if edit.kind != "rewrite"
        and edit.says_source(answer.text)
        and not (edit.when == "absent" and any(edit.says_source(kind) for kind in shown))
    )


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
