"""Observations -> scores with intervals, before, after and beside the control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from editkit.evaluate.intervals import mean, paired, pooled, pooled_difference, share
from editkit.evaluate.metric import Metric, Observation
from editkit.plan import Case, EditPlan, PlannedEdit
from editkit.report import Row, Score, Value


def scores(
    metrics: Sequence[Metric],
    plan: EditPlan,
    cases: Sequence[Case],
    before: Sequence[Observation],
    after: Sequence[Observation],
    control: Sequence[Observation] | None,
) -> tuple[Score, ...]:
    """Every metric, for each edit or for the whole recipe; parts (near, neighbours) apart."""
    found = []
    for metric in metrics:
        owners: Sequence[PlannedEdit | None] = plan.edits if metric.per_edit else (None,)
        parts = dict.fromkeys(metric.part(case) for case in cases)
        for name in parts:
            places = [place for place, case in enumerate(cases) if metric.part(case) == name]
            for edit in owners:
                score = _score(
                    metric,
                    name,
                    edit,
                    [cases[p] for p in places],
                    *(
                        None if seen is None else [seen[p] for p in places]
                        for seen in (before, after, control)
                    ),
                )
                if score is not None:
                    found.append(score)
    return tuple(found)


def _score(
    metric: Metric,
    name: str,
    edit: PlannedEdit | None,
    cases: Sequence[Case],
    before: Sequence[Observation] | None,
    after: Sequence[Observation] | None,
    control: Sequence[Observation] | None,
) -> Score | None:
    def figures(seen: Sequence[Observation] | None) -> list[Any] | None:
        if seen is None:
            return None
        return [
            value for case, one in zip(cases, seen, strict=True) for value in metric.values(case, one, edit)
        ]

    first, third = figures(before), figures(control)
    each = [(case, metric.values(case, one, edit)) for case, one in zip(cases, after or (), strict=True)]
    second: list[Any] = [value for _, values in each for value in values]
    if not second:
        return None

    def value(found: list[Any] | None) -> Value | None:
        if found is None:
            return None
        if metric.pool is not None:
            return pooled(found, metric.pool)
        return share([number > 0 for number in found]) if metric.share else mean(found)

    def difference(one: list[Any], other: list[Any] | None) -> Value | None:
        if other is None:
            return None
        return paired(one, other) if metric.pool is None else pooled_difference(one, other, metric.pool)

    reached = value(second)
    assert reached is not None
    return Score(
        name,
        reached,
        value(first),
        value(third),
        difference=difference(second, third),
        edit=None if edit is None else edit.number,
        higher_is_better=metric.higher_is_better,
        unit=metric.unit,
        group=metric.group,
        of=tuple(sorted({case.suite or case.role for case, values in each if len(values)})),
    )


def spread(cases: Sequence[Case], seen: Sequence[Observation]) -> dict[str, float]:
    """The 95th percentile and the maximum of the drift, in nats."""
    values = [
        value
        for case, one in zip(cases, seen, strict=True)
        if case.role == "control"
        for value in one.divergence
    ]
    if not values:
        return {}
    return {"drift_p95": float(np.quantile(values, 0.95)), "drift_max": float(np.max(values))}


def rows(
    metrics: Sequence[Metric],
    plan: EditPlan,
    cases: Sequence[Case],
    after: Sequence[Observation],
    control: Sequence[Observation] | None,
) -> tuple[Row, ...]:
    """The before/after table; a row is ok where every metric that counts there is fine with it."""
    found = []
    for place, case in enumerate(cases):
        edits: list[PlannedEdit | None] = [plan.edits[number] for number in case.edits] or [None]
        ok = all(
            _fine(metric, case, after[place], edit if metric.per_edit else None)
            for metric in metrics
            if metric.share and metric.pool is None
            for edit in edits
        )
        moved = after[place].divergence
        found.append(
            Row(
                case=case.question.id,
                role=case.role,
                edit=case.edits[0] if case.edits else None,
                prompt=case.question.prompt,
                images=tuple(picture.name for picture in case.question.images),
                before=_shown(case, case.said, case.nats or ()),
                after=_shown(case, after[place].text, after[place].nats),
                control=None if control is None else _shown(case, control[place].text, control[place].nats),
                wanted=None if case.wanted is None else case.wanted.text,
                near=case.near,
                ok=ok,
                suite=case.suite,
                drift=float(np.mean(moved)) if moved else None,
            )
        )
    return tuple(found)


def _fine(metric: Metric, case: Case, seen: Observation, edit: PlannedEdit | None) -> bool:
    if metric.row == "any":
        return True
    sign = 1 if metric.higher_is_better else -1
    old = metric.values(case, Observation(case.said), edit) if metric.row == "no worse" else None
    new: Sequence[Any] = metric.values(case, seen, edit)
    least: Sequence[Any] = old if old is not None else [float(metric.higher_is_better)] * len(new)
    return all(sign * value >= sign * bound for value, bound in zip(new, least, strict=True))


def worst_first(rows: Sequence[Row]) -> tuple[Row, ...]:
    """What failed, what changed, what stayed; within each, what drifted most comes first."""
    return tuple(sorted(rows, key=lambda row: (row.ok, row.before == row.after, -(row.drift or 0.0))))


def _shown(case: Case, said: str, nats: Sequence[float]) -> str:
    """An answer; of a text that was read, how hard it was."""
    return said if case.nats is None else f"perplexity {np.exp(np.mean(nats)):.4g}: {case.said}"
