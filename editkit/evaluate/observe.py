"""Watch a changed model answer: the only file of this room that runs a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from editkit.delta import Delta
from editkit.evaluate.metric import Observation
from editkit.events import Tell, stage
from editkit.model.changing import changed as written
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities, surprises
from editkit.model.generate import answers
from editkit.model.patching import patched
from editkit.patch.file import Patch
from editkit.plan import Case, Question


def observe(
    editable: Editable,
    cases: Sequence[Case],
    change: Patch | Editable,
    *,
    name: str,
    max_new_tokens: int,
    batch_size: int,
    drift: bool,
    tell: Tell,
) -> list[Observation]:
    """What the model says with the patch's rows written into it, and how far it drifts on control cases.

    Texts are read, everything else is asked.

    Args:
        change: a patch of the model, or another model that speaks the same tokens.
    """
    watched = [case for case in cases if drift and case.role == "control"]
    asked = [case.question for case in cases if case.nats is None]
    read = [case for case in cases if case.nats is not None]
    with stage(tell, name, len(cases) + len(watched)) as advance:
        with _becoming(editable, change) as changed:
            said = answers(
                changed, asked, max_new_tokens=max_new_tokens, batch_size=batch_size, advance=advance
            )
            nats = surprises(
                changed,
                [case.question for case in read],
                [case.said_tokens for case in read],
                advance=advance,
            )
        moved: dict[str, tuple[float, ...]] = {}
        for start in range(0, len(watched), batch_size):
            some = watched[start : start + batch_size]
            for case, values in zip(some, _divergences(editable, some, change), strict=True):
                moved[case.question.id] = values
            advance(len(some))
    spoken, surprised = iter(said), iter(nats)
    return [
        Observation(next(spoken).text, moved.get(case.question.id, ()))
        if case.nats is None
        else Observation(case.said, nats=next(surprised))
        for case in cases
    ]


def captions(
    editable: Editable,
    questions: Sequence[Question],
    delta: Delta | None,
    *,
    name: str,
    max_new_tokens: int,
    batch_size: int,
    tell: Tell,
) -> list[str]:
    """What the model says greedily with a delta written into its rows; as it is without one.

    Raises:
        ModelError: the delta can't be written, see `changing.changed`.
        InputError: see `feed`.
    """
    with (
        stage(tell, name, len(questions)) as advance,
        nullcontext() if delta is None else written(editable, delta),
    ):
        said = answers(
            editable, questions, max_new_tokens=max_new_tokens, batch_size=batch_size, advance=advance
        )
    return [answer.text for answer in said]


@contextmanager
def _becoming(editable: Editable, change: Patch | Editable) -> Iterator[Editable]:
    if isinstance(change, Editable):
        yield change
    else:
        with patched(editable.model, change):
            yield editable


def _divergences(
    editable: Editable, cases: Sequence[Case], change: Patch | Editable
) -> list[tuple[float, ...]]:
    """KL(p0 || p1) at every position of y0, teacher-forced on y0, float32, nats."""
    questions, said = [case.question for case in cases], [case.said_tokens for case in cases]
    before = log_probabilities(editable, questions, said, len(cases))
    with _becoming(editable, change) as other:
        after = log_probabilities(other, questions, said, len(cases))
    found = []
    for p0, p1 in zip(before, after, strict=True):
        apart = (p0.exp() * (p0 - p1.to(p0.device))).nan_to_num(0.0).sum(-1).clamp(min=0.0)
        found.append(tuple(float(value) for value in apart))
    return found


def unedited(cases: Sequence[Case]) -> list[Observation]:
    """What the unedited model said: it was asked when the plan was made."""
    return [
        Observation(
            case.said,
            (0.0,) * (len(case.said_tokens) + 1) if case.role == "control" else (),
            nats=case.nats or (),
        )
        for case in cases
    ]
