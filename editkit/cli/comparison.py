"""Localizers side by side on the screen, and in one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.table import Table

    from editkit.study.compare import Comparison
    from editkit.study.curve import Curve

# What the rows of the table are called, and whether more is better (None: it depends on what one wants).
ROWS: Final[dict[str, str]] = {
    "sensitivity/bertscore": "sensitivity, BERTScore",
    "sensitivity/moverscore": "sensitivity, MoverScore",
    "sensitivity/bleurt": "sensitivity, BLEURT",
    "region_invariance": "region invariance",
    "cross_image_invariance": "cross-image invariance",
    "specificity": "specificity",
    "sharing": "shared in one picture",
    "causal_effect": "causal effect (noise)",
    "joint_effect": "joint effect, nats",
    "suppression": "word gone when erased",
    "target/bleu": "its captions kept, BLEU",
    "target/rouge_l": "its captions kept, ROUGE-L",
    "target/bertscore": "its captions kept, BERTScore",
    "others/bleu": "others kept, BLEU",
    "others/rouge_l": "others kept, ROUGE-L",
    "others/bertscore": "others kept, BERTScore",
}


def tables(found: Comparison) -> list[Table]:
    """One table with every figure, and one with what any two have in common."""
    from rich.table import Table

    names = [method.name for method in found.methods]
    title = f"Top {found.k} neurons of {len(found.concepts)} words: mean over the words"
    whole = Table("", *names, title=title, title_justify="left")
    whole.add_row("seconds to locate", *(f"{method.seconds:.1f}" for method in found.methods))
    for column in found.columns():
        cells = [_cell(method.figures.get(column)) for method in found.methods]
        whole.add_row(ROWS.get(column, column), *cells)
    for layer in range(len(found.methods[0].layers)):
        whole.add_row(f"in layer {layer}", *(f"{method.layers[layer]:.2f}" for method in found.methods))
    common = Table("", *names, title="Share of neurons in common", title_justify="left")
    for name, row in zip(names, found.overlaps, strict=True):
        common.add_row(name, *(f"{share:.2f}" for share in row))
    return [whole, common]


def _cell(value: Any) -> str:
    return "-" if value is None or value.count == 0 else f"{value.value:.3f}"


def document(found: Comparison) -> dict[str, Any]:
    """Everything that was found, as plain data."""
    return {
        "concepts": found.concepts,
        "top": found.k,
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
                "neurons": [[str(neuron) for neuron in ranking] for ranking in method.neurons],
                "overlap": dict(zip([m.name for m in found.methods], row, strict=True)),
            }
            for method, row in zip(found.methods, found.overlaps, strict=True)
        ],
    }


def curve_table(found: Curve) -> Table:
    """Efficacy against the number of neurons."""
    from rich.table import Table

    needed = "never reached" if found.fewest is None else f"{found.fewest} neurons are enough"
    title = f"Efficacy >= {found.wanted:g}: {needed}"
    table = Table("neurons", "efficacy", "random neurons", "locality", title=title, title_justify="left")
    for point in found.points:
        score, kept = point.report.score("efficacy"), point.report.score("locality")
        control = "-" if score.control is None else f"{score.control.value:.3f}"
        table.add_row(str(point.k), f"{score.after.value:.3f}", control, f"{kept.after.value:.3f}")
    return table


def curve_document(found: Curve) -> dict[str, Any]:
    """The curve as plain data."""
    return {
        "wanted": found.wanted,
        "fewest": found.fewest,
        "fewest_random": found.control,
        "points": [{"neurons": point.k, "scores": point.report.table()} for point in found.points],
    }
