"""Compare localizers from Python: which neurons each finds, what they mean, what goes when they are erased.

    python examples/compare_localizers.py [RECIPE] [--methods contribution,random] [--set KEY=VALUE ...]

Figures go to a folder; nothing else is written, and nothing is downloaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import editkit
from editkit.study.drawing import drawn
from editkit.study.locating import save_figures
from editkit.study.words import markdown

REDACT = Path(__file__).parents[1] / "recipes" / "redact.yaml"
METHODS = "contribution,gradient:at=answer,two_stage,random"
# Five neurons of any layer count for each word; fewer pictures than an edit needs are enough to see.
SMALLER = ["locate.top=5", "locate.layers=all", "probe.images.count=80", "solve.preserve=40"]


def main(recipe: Path, methods: str, overrides: list[str], folder: Path) -> editkit.Comparison:
    """Every figure of every localizer, as a table and as pictures."""
    asked = editkit.load_recipe(recipe, [*SMALLER, *overrides])
    found = editkit.compare(asked, methods.split(","), erase=64, track=False)
    print(markdown(found))
    for place in save_figures(dict(drawn(found)), folder):
        print(f"figure {place}")

    # The rankings themselves are at hand: here the best neuron of each localizer, for the first word.
    for method in found.methods:
        best = method.neurons[0].top(1)
        print(f"{method.name:<20} {best.items[0]} {best.scores[0]:.3g}")

    # What one localizer sees, without comparing: heat-maps, layers, ranks, tokens.
    located = editkit.locate_only(asked, figures=True)
    for place in save_figures(located.figures, folder / "contribution"):
        print(f"figure {place}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare localizers on a recipe's words.")
    parser.add_argument("recipe", type=Path, nargs="?", default=REDACT)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--figures", type=Path, default=Path("localizers"))
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    main(given.recipe, given.methods, given.overrides, given.figures)
