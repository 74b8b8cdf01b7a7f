"""A comparison as figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from editkit.figures.comparison import comparison, overlap
from editkit.figures.layers import layer_profiles
from editkit.figures.needed import score_by_count
from editkit.figures.ranks import score_against_rank
from editkit.study.compare import Comparison
from editkit.study.curve import Curve
from editkit.study.words import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn(found: Comparison) -> Iterator[tuple[str, Figure]]:
    """File names and figures of a comparison."""
    metrics = {
        NAMES.get(column, column): {
            method.name: [method.figures[column].value]
            for method in found.methods
            if column in method.figures and method.figures[column].count
        }
        for column in found.columns()
    }
    yield "comparison.png", comparison({name: bars for name, bars in metrics.items() if bars})
    yield "overlap.png", overlap([method.name for method in found.methods], found.overlaps)
    first = {method.name: method.neurons[0] for method in found.methods if len(method.neurons[0])}
    if first:
        yield (
            "layers.png",
            layer_profiles(
                first, len(found.methods[0].layers), f"Layers of the neurons of {found.concepts[0]}"
            ),
        )
        yield "ranks.png", score_against_rank(first, relative=True)


def drawn_curve(found: Curve) -> Figure:
    """Efficacy against the number of neurons, located and random."""
    scores = [(point.k, point.report.score("efficacy")) for point in found.points]
    lines = {"located": [(k, score.after) for k, score in scores]}
    lines["random"] = [(k, score.control) for k, score in scores if score.control is not None]
    return score_by_count({name: points for name, points in lines.items() if points})
