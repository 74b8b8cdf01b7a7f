"""The first half of the pipeline alone: which neurons, and what there is to see of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.errors import OutputError
from editkit.events import Tell, nobody, stage, telling
from editkit.neuron import Neurons
from editkit.recipe import Recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Located:
    """A ranking for the recipe and one for each edit, with the tokens each neuron promotes most.

    Attributes:
        signs: of each neuron of the recipe's ranking, whether it is active above or below zero where a
            source is said: 1 or -1; `decoded` what it writes most that way.
        figures: file name -> figure, where they were asked for.
    """

    neurons: Neurons
    per_edit: tuple[Neurons, ...]
    signs: tuple[int, ...]
    decoded: tuple[tuple[str, ...], ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)


def locate_only(recipe: Recipe, *, figures: bool = False, tell: Tell = nobody) -> Located:
    """The neurons `apply` would edit.

    Args:
        figures: whether to draw what there is to see of them.

    Raises:
        EditkitError: see `pipeline.apply`.
    """
    from editkit.locate.ranking import united
    from editkit.locate.signs import signs
    from editkit.pipeline import find, locatable, opened, plan_of, prepared
    from editkit.views import Watching, views

    locatable(recipe)
    watching = Watching()
    tell = telling(tell, watching)
    editable = opened(recipe, tell)
    plan = prepared(recipe, plan_of(recipe, editable, tell, aims=False), tell)
    found = find(recipe, editable, plan, tell)
    neurons = united(found)
    drawn: Mapping[str, Figure] = {}
    if figures:
        with stage(tell, "draw"):
            drawn = dict(views(editable, plan, found, watching.shown))
    by_neuron = {
        neuron: sign
        for ranking, own in zip(found, signs(editable, plan, found), strict=True)
        for neuron, sign in zip(ranking, own, strict=True)
    }
    active = tuple(by_neuron[neuron] for neuron in neurons)
    return Located(neurons, found, active, editable.decoded(neurons.items, signs=active), drawn)


def check_folder(folder: Path) -> None:
    """Look whether figures can be written into a folder; one that is not there is not left behind.

    Raises:
        OutputError: they can't.
    """
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".editkit-probe"
        probe.touch()
        probe.unlink()
        if new:
            folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: figures can't be written there ({error.strerror})") from error


def save_figures(figures: Mapping[str, Figure], folder: Path) -> tuple[Path, ...]:
    """Write figures as PNG files into a folder, which is made where it is not there.

    Raises:
        OutputError: it can't be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            figure.savefig(folder / name)
            written.append(folder / name)
    except OSError as error:
        raise OutputError(f"{folder}: figures can't be written there ({error.strerror})") from error
    return tuple(written)
