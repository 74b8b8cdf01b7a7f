"""A recipe's settings and a report's scores as the flat names MLflow keeps."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, Final

from editkit.page.summary import SURE
from editkit.recipe import Recipe
from editkit.report import Report, Score, Value

ROLES: Final = ("edit", "held_out", "preserve", "control", "side")


def flat(values: Mapping[str, object], prefix: str) -> dict[str, str]:
    """Nested settings as `prefix.a.b` -> text; lists and what else has no name of its own as JSON."""
    leaves = (leaf for key, value in values.items() for leaf in _leaves(value, f"{prefix}.{key}"))
    return {allowed(key): _text(value) for key, value in leaves}


def allowed(key: str) -> str:
    """The key with what MLflow refuses in names replaced."""
    return re.sub(r"[^\w\-. /]", "_", key)


def score_metrics(score: Score) -> dict[str, float]:
    """`name/after`, `name/after_low`, `name/after_high`, and the same for before, control and difference.

    What is no number is left out: MLflow's pages show NaN as 0, or not at all.
    """
    sides: dict[str, Value | None] = {
        "after": score.after,
        "before": score.before,
        "control": score.control,
        "difference": score.difference,
    }
    metrics: dict[str, float] = {}
    for side, value in sides.items():
        if value is not None:
            key = allowed(f"{score.name}/{side}")
            metrics[key] = value.value
            metrics[f"{key}_low"] = value.interval.low
            metrics[f"{key}_high"] = value.interval.high
    return {key: number for key, number in metrics.items() if isfinite(number)}


def worst(report: Report, edit: int | None = None) -> tuple[Score, ...]:
    """Every metric once, from its worst edit: the one that decides.

    With `edit`, its own where it has one, else that of the whole recipe.
    """
    fitting = [score for score in report.scores if edit is None or score.edit in (edit, None)]
    return tuple(
        min((score for score in fitting if score.name == name), key=lambda score: score.goodness)
        for name in dict.fromkeys(score.name for score in fitting)
    )


def standing(report: Report, edit: int | None = None) -> dict[str, float]:
    """What every run has, whatever its recipe asks for: so that runs stand side by side in a table."""
    rows = [row for row in report.rows if edit is None or row.edit in (edit, None)]
    asked = report.verdict.criteria
    return {
        "verdict/accepted": float(report.verdict.accepted),
        "verdict/asked": len(asked),
        "verdict/met": sum(one.met for one in asked),
        "cases/failed": sum(not row.ok for row in rows),
        "cases/changed": sum(row.before != row.after for row in rows),
        "words/changed": len(report.words),
        "words/surely_changed": sum(word.q < SURE for word in report.words),
    }


def case_counts(counts: Mapping[str, int]) -> dict[str, float]:
    """`cases/control` -> how many, of every role; near ones and suites apart where there are any."""
    side = sum(count for sort, count in counts.items() if sort.startswith("side/"))
    found = {**dict.fromkeys(ROLES, 0), "side": side, **counts}
    return {allowed(f"cases/{sort}"): float(count) for sort, count in found.items()}


def about(recipe: Recipe, document: Mapping[str, Any]) -> dict[str, str]:
    """The few settings that tell runs apart, under a name that stands before all others.

    Args:
        document: the recipe's, as it may be shown.
    """
    edits = Counter(edit.kind for edit in recipe.edits)
    return {
        "about.recipe": document["name"],
        "about.model": document["model"]["id"],
        "about.edits": ", ".join(f"{count} {kind}" for kind, count in edits.items()),
        "about.locate": recipe.locate.method,
        "about.top": str(recipe.locate.top),
        "about.layers": _text(recipe.locate.layers),
        "about.solve": recipe.solve.method,
        "about.seed": str(recipe.seed),
    }


def merged(scores: Iterable[Score]) -> dict[str, float]:
    return {key: value for score in scores for key, value in score_metrics(score).items()}


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value):
        for at, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{at}")
    else:
        yield path, value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
