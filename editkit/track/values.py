"""A recipe's settings and a report's scores as the flat names MLflow keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from editkit.report import Report, Score, Value


def flat(values: Mapping[str, object], prefix: str) -> dict[str, str]:
    """Nested settings as `prefix.a.b` -> text; lists and what else has no name of its own as JSON."""
    leaves = (leaf for key, value in values.items() for leaf in _leaves(value, f"{prefix}.{key}"))
    return {allowed(key): _text(value) for key, value in leaves}


def allowed(key: str) -> str:
    """The key with what MLflow refuses in names replaced."""
    return re.sub(r"[^\w\-. /]", "_", key)


def score_metrics(score: Score) -> dict[str, float]:
    """`name/after`, `name/after_low`, `name/after_high`, and the same for before, control and difference."""
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
    return metrics


def worst(report: Report) -> tuple[Score, ...]:
    """Every metric once, from its worst edit: the one that decides."""
    return tuple(report.score(name) for name in dict.fromkeys(score.name for score in report.scores))


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
