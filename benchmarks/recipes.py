"""What the recipes that ship reach on the embedded model, beside the random control, over three seeds.

python benchmarks/recipes.py [NAME ...]
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console
from rich.table import Table

from editkit.outcome import Applied
from editkit.pipeline import apply
from editkit.recipe import load_recipe
from editkit.report import Value

RECIPES = Path(__file__).parent.parent / "recipes"
GOALS = {
    "redact": {"efficacy": 1.0, "generalization": 1.0, "locality": 0.99},
    "fix-hallucination": {
        "efficacy": 0.98,
        "generalization": 0.98,
        "counterfactual": 0.95,
        "locality": 0.98,
        "locality_near": 0.90,
    },
    "rewrite-fact": {},
}


def shown(value: Value | None) -> str:
    if value is None:
        return ""
    return f"{value.value:.3f} [{value.interval.low:.3f}, {value.interval.high:.3f}] of {value.count}"


def table(name: str, runs: list[tuple[int, Applied, float]]) -> Table:
    found = Table("seed", "score", "before", "after", "control", "better than control", "goal", title=name)
    for seed, applied, seconds in runs:
        for score in applied.report.scores:
            goal = GOALS[name].get(score.name)
            own = "" if score.edit is None else f" (edit {score.edit})"
            found.add_row(
                str(seed),
                score.name + own,
                shown(score.before),
                shown(score.after),
                shown(score.control),
                {True: "yes", False: "no", None: ""}[score.beats_control],
                "" if goal is None else f"{'reached' if score.after.value >= goal else 'MISSED'} {goal}",
            )
        counts = ", ".join(f"{count} {role}" for role, count in applied.report.counts.items())
        found.add_row(
            str(seed), f"{seconds:.0f} s", f"{len(applied.neurons)} neurons", counts, end_section=True
        )
    return found


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", default=3, show_default=True)
def main(names: tuple[str, ...], seeds: int) -> None:
    """Apply each recipe with several seeds: other splits, other controls."""
    console = Console(width=170)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or tuple(GOALS):
            runs = []
            for seed in range(seeds):
                recipe = load_recipe(RECIPES / f"{name}.yaml", [f"seed={seed}"], environ={})
                start = perf_counter()
                applied = apply(
                    recipe, output=Path(folder) / f"{name}-{seed}.editkit.safetensors", track=False
                )
                runs.append((seed, applied, perf_counter() - start))
            console.print(table(name, runs))


if __name__ == "__main__":
    main()
