"""What was found, as pictures: which neurons, where in the model, what they write, what they see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from editkit.events import Event, Shown
from editkit.neuron import Neurons
from editkit.page import Written
from editkit.plan import Case, EditPlan, PlannedEdit
from editkit.privacy import Masks
from editkit.probe.positions import source_positions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from editkit.figures.heatmaps import Look
    from editkit.heat import Heat
    from editkit.model.editable import Editable

EDITS: Final = 8  # of more edits only the first are drawn one by one
PICTURES: Final = 3
TOP: Final = 10
ROWS: Final = 20


class Watching:
    """Keeps what was told to be looked at; a listener."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Shown):
            self.shown.append(event)


def views(
    editable: Editable,
    plan: EditPlan,
    found: Sequence[Neurons],
    shown: Sequence[Shown],
    tokens: Sequence[Written] | None = None,
    masks: Masks | None = None,
) -> Iterator[tuple[str, Figure]]:
    """File names, without any word of the recipe, and figures.

    Args:
        found: a ranking for each edit; `shown` what the localizer told to be looked at.
        tokens: what `written` gave, where somebody has it already.
        masks: where words are hidden, they are in no title, and neither pictures nor tokens are drawn.
    """
    from editkit.figures.layers import layer_profiles
    from editkit.figures.ranks import score_against_rank

    hides = masks is not None and masks.hides
    named = plan.edits if masks is None else tuple(map(masks.edit, plan.edits))
    rankings = {_label(edit): own for edit, own in zip(named, found, strict=True) if len(own)}
    few = dict(list(rankings.items())[:EDITS])
    if few:
        yield "layers.png", layer_profiles(few, len(editable.layers))
        yield "ranks.png", score_against_rank(few, relative=False)
    if not hides and tokens is None:
        tokens = written(editable, plan, found)
    for edit, own in list(zip(plan.edits, found, strict=True))[:EDITS]:
        if len(own) and tokens is not None and not hides:
            writes = [one.tokens for one in tokens if one.edit == edit.number][:ROWS]
            yield from _of_edit(editable, plan, edit, own, writes)
    for event in shown:
        if event.name == "thresholds":
            yield from _thresholds(named, event.value)


def written(editable: Editable, plan: EditPlan, found: Sequence[Neurons]) -> tuple[Written, ...]:
    """The tokens that the first neurons of each edit write most, where the word is said."""
    from editkit.locate.signs import signs

    active = signs(editable, plan, found)
    return tuple(
        Written(edit.number, neuron, score, tokens)
        for edit, own, sign in list(zip(plan.edits, found, active, strict=True))[:EDITS]
        for neuron, score, tokens in zip(
            own.items[:ROWS],
            own.scores[:ROWS],
            editable.decoded(own.items[:ROWS], signs=sign[:ROWS]),
            strict=True,
        )
    )


def _label(edit: PlannedEdit) -> str:
    return f"{', '.join(edit.sources)} (edit {edit.number})"


def _of_edit(
    editable: Editable, plan: EditPlan, edit: PlannedEdit, own: Neurons, tokens: Sequence[tuple[str, ...]]
) -> Iterator[tuple[str, Figure]]:
    from editkit.figures.decoded import decoded
    from editkit.figures.heatmaps import heat_maps
    from editkit.figures.twins import twins
    from editkit.model.heat import heats
    from editkit.model.weights import is_packed

    some = own.top(ROWS)
    title = f"What the neurons of {_label(edit)} write most ({own.method})"
    yield (
        f"edit{edit.number}_tokens.png",
        decoded(some, tokens, title),
    )
    seen = [case for case in plan.of("edit", edit.number) if len(case.question.images) == 1][:PICTURES]
    if seen:
        for name, count in (("best", 1), ("top", min(TOP, len(own)))):
            heat = heats(editable, [case.question for case in seen], own.items[:count])
            who = "best neuron is" if count == 1 else f"top {count} are"
            title = f"{_label(edit)}: where in the picture the {who} active"
            yield f"edit{edit.number}_heat_{name}.png", heat_maps(_looks(seen, edit, heat), title)
        if not any(is_packed(place.module) for place in editable.w_outs):
            yield f"edit{edit.number}_seen.png", _taken(editable, seen, edit, own.top(TOP))
    pairs = [
        (case.question.images[0], twin) for case in seen for twin in case.twins if twin.edit == edit.number
    ]
    if pairs:
        yield f"edit{edit.number}_twins.png", twins(pairs, title=f"Twins of {_label(edit)}")


def _taken(editable: Editable, cases: Sequence[Case], edit: PlannedEdit, top: Neurons) -> Figure:
    """Which parts of the picture decide what neurons emit where the word is said."""
    from editkit.figures.heatmaps import heat_maps
    from editkit.model.seeing import seen

    before = [case.said_tokens[: source_positions(editable.tokenizer, case, edit)[0]] for case in cases]
    heat = seen(editable, [case.question for case in cases], before, top.items)
    title = f"{_label(edit)}: what in the picture makes the top {len(top)} emit where it is said"
    return heat_maps(_looks(cases, edit, heat), title)


def _looks(cases: Sequence[Case], edit: PlannedEdit, heat: Sequence[Sequence[Heat]]) -> list[Look]:
    from editkit.figures.heatmaps import Look

    found = []
    for case, own in zip(cases, heat, strict=True):
        picture = case.question.images[0]
        known = [kind for kind in sorted(picture.regions) if edit.says_source(kind)]
        region = picture.regions[known[0]]() if known else None
        found.append(Look(picture, own[0], case.said, region))
    return found


def _thresholds(edits: Sequence[PlannedEdit], value: Any) -> Iterator[tuple[str, Figure]]:
    """What a filter told: see `locate.two_stage.Filtered`."""
    from editkit.figures.thresholds import Cut, thresholds

    stages = (
        ("stage 1: difference", "activation", value.first),
        ("stage 2: gradient", "logits", value.second),
    )
    cuts = [
        Cut(name, unit, one.value, one.observed.numpy(), one.null.numpy(), one.quantile)
        for name, unit, one in stages
        if one is not None
    ]
    edit = next(edit for edit in edits if edit.number == value.edit)
    if value.edit < EDITS:
        yield (
            f"edit{value.edit}_thresholds.png",
            thresholds(cuts, f"{_label(edit)}: {value.kept} neurons kept"),
        )
