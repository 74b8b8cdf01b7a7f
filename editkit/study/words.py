"""A comparison in words: the Markdown that stands in MLflow and in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from editkit.study.compare import Comparison

# What figures are called, in the order they are read.
NAMES: Final[dict[str, str]] = {
    "sensitivity/bertscore": "sensitivity, BERTScore",
    "sensitivity/moverscore": "sensitivity, MoverScore",
    "sensitivity/bleurt": "sensitivity, BLEURT",
    "specificity": "specificity",
    "region_invariance": "region invariance",
    "cross_image_invariance": "cross-image invariance",
    "sharing": "shared with other words of a picture",
    "causal_effect": "causal effect of noise",
    "joint_effect": "joint effect, nats",
    "suppression": "word gone when erased",
    "target/bleu": "its answers as before, BLEU",
    "target/rouge_l": "its answers as before, ROUGE-L",
    "target/bertscore": "its answers as before, BERTScore",
    "others/bleu": "other answers as before, BLEU",
    "others/rouge_l": "other answers as before, ROUGE-L",
    "others/bertscore": "other answers as before, BERTScore",
}


def rows(found: Comparison) -> list[tuple[str, list[str]]]:
    """What the table of a comparison says: a name, and a cell for each localizer."""
    table = [("seconds to locate", [f"{method.seconds:.1f}" for method in found.methods])]
    known = [name for name in NAMES if name in found.columns()]
    for column in (*known, *(name for name in found.columns() if name not in NAMES)):
        values = [method.figures.get(column) for method in found.methods]
        cells = ["-" if value is None or not value.count else f"{value.value:.3f}" for value in values]
        table.append((NAMES.get(column, column), cells))
    for layer in range(len(found.methods[0].layers)):
        shares = [method.layers[layer] for method in found.methods]
        table.append((f"share in layer {layer}", [f"{share:.2f}" for share in shares]))
    return table


def overlap_rows(found: Comparison) -> list[tuple[str, list[str]]]:
    """For every localizer what it has in common with each."""
    return [
        (method.name, [f"{share:.2f}" for share in shares])
        for method, shares in zip(found.methods, found.overlaps, strict=True)
    ]


def markdown(found: Comparison) -> str:
    """Both tables, and what could not be measured."""
    names = [method.name for method in found.methods]
    count = len(found.concepts)
    of = "one word" if count == 1 else f"{count} words, means over them"
    words = f"The top {found.k} neurons of {of}; {found.n_erased} are erased."
    parts = [
        words,
        _table(names, rows(found)),
        "Share of the neurons that two localizers have in common:",
        _table(names, overlap_rows(found)),
        *(f"Not measured: {reason}" for reason in found.unavailable),
    ]
    return "\n\n".join(parts) + "\n"


def _table(names: Sequence[str], lines: Iterable[tuple[str, Sequence[str]]]) -> str:
    head = ["", *names]
    every = [head, ["---"] * len(head), *([name, *cells] for name, cells in lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in every)
