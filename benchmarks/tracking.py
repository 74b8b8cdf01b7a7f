"""What tracking adds to an edit, in seconds, and where they go; on a database that is there already.

python benchmarks/tracking.py [RECIPE] [--rounds N]
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import click

RECIPES = Path(__file__).parent.parent / "recipes"
# The goal: whichever is more.
SHARE, SECONDS = 0.10, 3.0
NOBODY = "http://127.0.0.1:9"
CONNECTED = (
    "import sys; from editkit.track.store import connect, quiet\n"
    "with quiet(): connect(sys.argv[1], lambda event: None)"
)


def ran(folder: Path, *words: str) -> float:
    """Seconds of one process, from its start to its end."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise click.ClickException(done.stderr)
    return time.perf_counter() - begun


def applied(folder: Path, recipe: Path, *words: str) -> float:
    return ran(folder, "-m", "editkit", "-q", "apply", str(recipe), *words)


def drawn(folder: Path, recipe: Path) -> float:
    """Seconds of the figures, as the run says itself."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    place = [client.get_experiment_by_name("editkit").experiment_id]
    (run, *_) = client.search_runs(place, "metrics.`seconds/draw` > 0", max_results=1)
    return float(run.data.metrics["seconds/draw"])


def sent(folder: Path, recipe: Path, empty: Path) -> tuple[dict[str, tuple[int, float]], int]:
    """How often each kind of entry is sent, with its seconds, and the bytes of a journal."""
    from mlflow import MlflowClient

    from editkit.events import nobody
    from editkit.track.journal import Lines, journals
    from editkit.track.replay import Replay

    applied(folder, recipe, "--set", f"track.uri={NOBODY}")
    os.chdir(folder)
    (journal,) = journals()
    shutil.copyfile(empty, folder / "later.db")
    uri = f"sqlite:///{folder}/later.db"
    replay = Replay(MlflowClient(uri), uri, journal, nobody)
    found: dict[str, list[float]] = defaultdict(list)
    with closing(Lines(journal)) as lines:
        for entry in lines.new():
            begun = time.perf_counter()
            replay.send(entry)
            found[entry["op"]].append(time.perf_counter() - begun)
    size = sum(file.stat().st_size for file in journal.rglob("*") if file.is_file())
    return {op: (len(seconds), sum(seconds)) for op, seconds in found.items()}, size


def told(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path, exists=True), default=RECIPES / "redact.yaml")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(recipe: Path, rounds: int, seed: int) -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(RECIPES.parent), os.environ.get("PYTHONPATH", "")])
    recipe = recipe.resolve()
    with tempfile.TemporaryDirectory(prefix="editkit-tracking-") as place:
        folder = Path(place)
        ran(folder, "-c", CONNECTED, "sqlite:///mlflow.db")
        empty = folder / "empty.db"
        shutil.copyfile(folder / "mlflow.db", empty)
        applied(folder, recipe)  # what is read is then in memory
        chance = random.Random(seed)
        seconds: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            # Both in each round, so that a machine that grows busier weighs on both.
            for how in chance.sample(["tracked", "untracked"], 2):
                seconds[how].append(applied(folder, recipe, *(["--no-track"] if how == "untracked" else [])))
                click.echo(f"{how} {seconds[how][-1]:.1f} s", err=True)
        base = statistics.median(seconds["untracked"])
        pairs = zip(seconds["tracked"], seconds["untracked"], strict=True)
        added = statistics.median(one - other for one, other in pairs)
        pieces = {
            "`import mlflow`, alone in a process": ran(folder, "-c", "import mlflow"),
            "the same and a first answer of the database": ran(
                folder, "-c", CONNECTED, "sqlite:///mlflow.db"
            ),
            "figures (in the edit's own process)": drawn(folder, recipe),
        }
        entries, size = sent(folder, recipe, empty)
    goal = max(SHARE * base, SECONDS)
    click.echo(
        f"| `editkit apply {recipe.name}`, {rounds} rounds | seconds, median (least to most) |\n|---|---|"
    )
    click.echo(f"| without tracking | {told(seconds['untracked'])} |")
    click.echo(f"| with tracking | {told(seconds['tracked'])} |")
    click.echo(f"| **tracking adds** | **{added:.1f}** ({100 * added / base:.0f} %; goal: {goal:.1f}) |")
    click.echo("\n| piece | seconds |\n|---|---|")
    for name, value in pieces.items():
        click.echo(f"| {name} | {value:.2f} |")
    for op, (count, value) in sorted(entries.items(), key=lambda one: -one[1][1]):
        click.echo(f"| sending {count} x {op} | {value:.2f} |")
    click.echo(f"\nThe journal of such a run has {size / 1e6:.1f} MB.")
    click.echo(json.dumps(seconds), err=True)


if __name__ == "__main__":
    main()
