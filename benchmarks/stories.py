"""Edits of a model that others trained: a small Llama that writes children's stories, in 512 tokens.

    python benchmarks/stories.py [NAME ...] [--json]

The model is stories260k, found in `models/stories260k` under EDITKIT_REAL_DATA. Its prompts are what stands
before the word in stories it makes up; no held-out prompt shares a story with one that was solved on.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from editkit import load_recipe
from editkit.events import Event, Noted
from editkit.model.open import open_model
from editkit.outcome import Applied
from editkit.pipeline import apply
from editkit.probe.planning import planned_edits
from editkit.recipe import Recipe
from editkit.report import Value

HERE = Path(__file__).parent
NAMES = ("mom", "dog-to-cat", "park")
GOALS = {"efficacy": 1.0, "generalization": 1.0}
FEWEST = 20


def model_folder() -> Path:
    """Where the model is.

    Raises:
        click.ClickException: it is not there.
    """
    data = Path(os.environ.get("EDITKIT_REAL_DATA") or HERE.parent.parent / "shared" / "real")
    folder = data / "models" / "stories260k"
    if not (folder / "config.json").is_file():
        raise click.ClickException(
            f"no stories260k model in {folder}: set EDITKIT_REAL_DATA to what holds models/stories260k"
        )
    return folder.resolve()


def tokens(recipe: Recipe) -> dict[str, list[str]]:
    """How the model's tokenizer splits the words of the edits, with a space in front."""
    editable = open_model(recipe.model_ref())
    found = {}
    for edit in planned_edits(recipe, editable):
        for word in (*edit.sources, *([edit.target] if edit.target else [])):
            spaced = next((form.spaced for form in edit.forms if form.text == word), None)
            ids = spaced if spaced is not None else editable.tokenizer.encode(word, add_special_tokens=False)
            found[word] = [str(piece) for piece in editable.tokenizer.convert_ids_to_tokens(list(ids))]
    return found


def shown(value: Value | None, unit: str) -> str:
    if value is None:
        return ""
    form = ".3f" if unit == "share" else ".4f"
    return f"{value.value:{form}} [{value.interval.low:{form}}, {value.interval.high:{form}}]"


def table(name: str, applied: Applied, words: dict[str, list[str]]) -> Table:
    split = ", ".join(f"{word} = {' '.join(pieces)}" for word, pieces in words.items())
    found = Table(
        "score", "before", "after", "control", "better than control", "of", "goal", title=f"{name}: {split}"
    )
    for score in applied.report.scores:
        goal = GOALS.get(score.name)
        reached = goal is not None and score.after.value >= goal and score.after.count >= FEWEST
        found.add_row(
            score.name,
            *(shown(value, score.unit) for value in (score.before, score.after, score.control)),
            {True: "yes", False: "no", None: ""}[score.beats_control],
            str(score.after.count),
            "" if goal is None else f"{'reached' if reached else 'MISSED'} {goal}",
        )
    counts = ", ".join(f"{count} {role}" for role, count in applied.report.counts.items())
    found.caption = f"{len(applied.neurons)} neurons; {counts}; {sum(applied.seconds.values()):.0f} s"
    return found


def examples(applied: Applied, count: int) -> Table:
    """Some held-out prompts' answers; the unsuccessful first."""
    rows = sorted((row for row in applied.report.rows if row.role == "held_out"), key=lambda row: row.ok)
    found = Table("prompt ends", "before", "after", show_lines=True)
    for row in rows[:count]:
        found.add_row(Text(row.prompt[-50:]), Text(row.before), Text(row.after))
    return found


def document(applied: Applied, words: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "tokens": words,
        "neurons": [str(neuron) for neuron in applied.neurons],
        "cases": dict(applied.report.counts),
        "scores": {
            score.name: {
                "before": score.before and score.before.value,
                "after": score.after.value,
                "interval": [score.after.interval.low, score.after.interval.high],
                "control": score.control and score.control.value,
                "better_than_control": score.beats_control,
                "count": score.after.count,
            }
            for score in applied.report.scores
        },
        "details": dict(applied.report.details),
        "seconds": dict(applied.seconds),
    }


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of tables.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a key of the recipes.")
@click.option("--examples", "n_examples", default=4, show_default=True, help="Answers to show for each edit.")
def main(names: tuple[str, ...], as_json: bool, overrides: tuple[str, ...], n_examples: int) -> None:
    """Apply the three recipes and print what they reach."""
    torch.set_num_threads(1)
    folder, console, found = model_folder(), Console(width=150), {}

    def tell(event: Event) -> None:
        if isinstance(event, Noted):
            click.echo(event.text, err=True)

    for name in names or NAMES:
        recipe = load_recipe(HERE / "recipes" / f"{name}.yaml", [f"model={folder}", *overrides])
        words = tokens(recipe)
        with tempfile.TemporaryDirectory() as place:
            applied = apply(recipe, output=Path(place, f"{name}.editkit.safetensors"), tell=tell, track=False)
        found[name] = document(applied, words)
        if not as_json:
            console.print(table(name, applied, words), examples(applied, n_examples))
    if as_json:
        click.echo(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
