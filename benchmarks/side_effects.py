"""What the recipes that ship do beside what they are for: every score of side effects, over some seeds.

python benchmarks/side_effects.py [NAME ...] [--seeds N] [--pictures N]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from editkit.errors import RecipeError
from editkit.evaluate import METRICS
from editkit.outcome import Applied
from editkit.pipeline import apply
from editkit.recipe import Recipe, load_recipe
from editkit.report import Value

RECIPES = Path(__file__).parent.parent / "recipes"
NAMES = ("redact", "fix-hallucination", "rewrite-fact")
BASIS = ("efficacy", "generalization", "locality")
# What the edit is for, which recipes.py shows.
ASKED = frozenset({"efficacy", "generalization", "counterfactual"})


def asked(pictures: int) -> dict[str, str]:
    """What is asked beside, for the embedded model."""
    return {
        "evaluate.pope": f"{{demo: pairs, count: {pictures}}}",
        "evaluate.probes.paraphrase": "auto",
        "evaluate.probes.negation": "auto",
        "evaluate.probes.modality": "true",
    }


def everything(name: str, seed: int, pictures: int) -> Recipe:
    """A recipe with every score it can have: without those that its edits or the embedded model rule out."""
    settings = [f"seed={seed}"]
    for key, value in asked(pictures).items():
        settings += [f"{key}={value}"] if possible(name, [*settings, f"{key}={value}"]) else []
    metrics: list[str] = []
    for metric in METRICS:
        wanted = f"evaluate.metrics=[{', '.join([*BASIS, *metrics, metric])}]"
        metrics += [metric] if metric not in BASIS and possible(name, [*settings, wanted]) else []
    settings.append(f"evaluate.metrics=[{', '.join([*BASIS, *metrics])}]")
    return load_recipe(RECIPES / f"{name}.yaml", settings, environ={})


def possible(name: str, settings: list[str]) -> bool:
    try:
        load_recipe(RECIPES / f"{name}.yaml", settings, environ={})
    except RecipeError:
        return False
    return True


def shown(value: Value | None, unit: str) -> str:
    if value is None:
        return ""
    figures = f"{value.value:.3f} [{value.interval.low:.3f}, {value.interval.high:.3f}]"
    return f"{figures} of {value.count}" if unit == "share" else f"{figures} {unit}"


def table(name: str, runs: list[tuple[int, Applied]]) -> Table:
    found = Table("seed", "score", "before", "after", "control", "better than control", title=name)
    for seed, applied in runs:
        for score in applied.report.scores:
            if score.name in ASKED:
                continue
            own = "" if score.edit is None else f" (edit {score.edit})"
            found.add_row(
                str(seed),
                score.name + own,
                shown(score.before, score.unit),
                shown(score.after, score.unit),
                shown(score.control, score.unit),
                {True: "yes", False: "no", None: ""}[score.beats_control],
            )
        found.add_section()
    return found


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", default=1, show_default=True)
@click.option("--pictures", default=100, show_default=True, help="Pictures that POPE asks about.")
def main(names: tuple[str, ...], seeds: int, pictures: int) -> None:
    """Apply each recipe, and score all that it moved."""
    console = Console(width=170)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or NAMES:
            runs = []
            for seed in range(seeds):
                output = Path(folder) / f"{name}-{seed}.editkit.safetensors"
                runs.append((seed, apply(everything(name, seed, pictures), output=output, track=False)))
            console.print(table(name, runs))


if __name__ == "__main__":
    main()
