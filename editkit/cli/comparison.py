"""Localizers side by side on the screen, and in one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from editkit.study.compare import Comparison
    from editkit.study.curve import Curve


def tables(found: Comparison) -> list[Table]:
    """One table with every figure, and one with what any two have in common."""
    from rich.table import Table

    from editkit.study.words import overlap_rows, rows

    names = [method.name for method in found.methods]
    words = "one word" if len(found.concepts) == 1 else f"{len(found.concepts)} words, mean over them"
    every = []
    for title, lines in (
        (f"Top {found.k} neurons of {words}; {found.n_erased} erased", rows(found)),
        ("Share of neurons in common", overlap_rows(found)),
    ):
        table = Table("", *names, title=title, title_justify="left")
        for name, cells in lines:
            table.add_row(name, *cells)
        every.append(table)
    return every


def document(found: Comparison) -> dict[str, Any]:
    """Everything that was found, as plain data."""
    return {
        "concepts": found.concepts,
        "top": found.k,
        "erased": found.n_erased,
        "unavailable": found.unavailable,
        "methods": [
            {
                "name": method.name,
                "seconds": method.seconds,
                "figures": {
                    name: {"value": one.value, "low": one.interval.low, "high": one.interval.high}
                    for name, one in method.figures.items()
                },
                "layers": method.layers,
                "neurons": [[str(neuron) for neuron in ranking.top(found.k)] for ranking in method.neurons],
                "overlap": dict(zip([m.name for m in found.methods], row, strict=True)),
            }
            for method, row in zip(found.methods, found.overlaps, strict=True)
        ],
    }


def curve_table(found: Curve) -> Table:
    """Efficacy against the number of neurons, and what else was scored."""
    from rich.table import Table

    needed = "never reached" if found.fewest is None else f"{found.fewest} neurons are enough"
    title = f"Efficacy >= {found.wanted:g}: {needed}"
    scored = [point.report.table() for point in found.points]
    names = list(dict.fromkeys(name for scores in scored for name in scores))
    table = Table("neurons", *names, title=title, title_justify="left")
    for point, scores in zip(found.points, scored, strict=True):
        table.add_row(str(point.k), *(_beside_random(scores.get(name)) for name in names))
    table.caption = "in brackets: as many random neurons"
    return table


def _beside_random(score: Mapping[str, float | None] | None) -> str:
    if score is None or score["after"] is None:
        return "-"
    control = score["control"]
    return f"{score['after']:.3f}" + ("" if control is None else f" ({control:.3f})")


def curve_document(found: Curve) -> dict[str, Any]:
    """The curve as plain data."""
    return {
        "wanted": found.wanted,
        "fewest": found.fewest,
        "fewest_random": found.control,
        "points": [{"neurons": point.k, "scores": point.report.table()} for point in found.points],
    }
