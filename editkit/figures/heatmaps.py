"""What neurons emit over pictures: the picture, the heat-map on it, and where it is hottest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from editkit.errors import InputError
from editkit.figures.canvas import GREYS, figure, whole_numbers
from editkit.figures.lettering import lines, plain
from editkit.figures.pictures import framed, outlined, pale, pixels
from editkit.heat import Heat
from editkit.overlay import concentration, hottest, laid, scaled
from editkit.plan import Picture
from editkit.region import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS: Final = "cividis"  # from dark to light, in colour and in grey alike
PERCENTILE: Final = 95.0


@dataclass(frozen=True)
class Look:
    """One row of the figure.

    Attributes:
        heat: of one neuron, or of several, whose mean is shown; each times its weight, where given.
        words: what stands above the picture: the concept, what the model says.
        region: where the concept truly is, as far as it is known.
    """

    picture: Picture
    heat: Heat
    words: str = ""
    region: Region | None = None
    weights: Sequence[float] | None = None


def heat_maps(looks: Sequence[Look], title: str = "") -> Figure:
    """A row for each picture: the picture, the heat-map on it, the mask above the 95th percentile.

    Heat-maps are bilinear over the grid of patches, each from its own minimum to its own maximum. Tokens
    that are no grid have a bar each instead, and of pictures that are nowhere in the sequence that is said.

    Raises:
        InputError: a picture can't be read.
    """
    rows = max(1, len(looks))
    found = figure(8.6, 0.4 + 2.75 * rows)
    grid = found.add_gridspec(rows, 3)
    for at, look in enumerate(looks):
        shown = pixels(look.picture)
        axes = found.add_subplot(grid[at, 0])
        axes.imshow(shown)
        framed(axes, lines(f"{look.picture.name}: {look.words}" if look.words else look.picture.name, 44))
        if look.region is not None:
            outlined(axes, look.region, (shown.shape[0], shown.shape[1]))
        if look.heat.grid is None:
            _bars(found.add_subplot(grid[at, 1:]), look)
        else:
            _maps([found.add_subplot(grid[at, side]) for side in (1, 2)], look, shown)
    found.suptitle(plain(title) or "Where the neurons are active", fontsize=11)
    return found


def _who(heat: Heat) -> str:
    return str(heat.neurons[0]) if len(heat.neurons) == 1 else f"mean of {len(heat.neurons)} neurons"


def _maps(axes: Sequence[Axes], look: Look, shown: NDArray[np.uint8]) -> None:
    over, mask = axes
    values = look.heat.mean(look.weights)
    height, width = shown.shape[:2]
    map_ = laid(values, height, width, look.heat.area)
    over.imshow(pale(shown, 0.9), cmap="gray", vmin=0, vmax=1)
    over.imshow(scaled(map_), cmap=COLORS, vmin=0, vmax=1, alpha=0.78)
    rows, columns = values.shape
    framed(over, f"{_who(look.heat)}: {values.min():.2g} (dark) to {values.max():.2g} (light)")
    over.set_xlabel(lines(f"{rows} x {columns} tokens: {look.heat.note}", 44), fontsize=7)
    hot = hottest(map_, PERCENTILE)
    mask.imshow(np.where(hot, 0.0, pale(shown, 0.25)), cmap="gray", vmin=0, vmax=1)
    framed(mask, f"above the {PERCENTILE:.0f}th percentile (black)")
    if look.region is None:
        return
    for one in axes:
        outlined(one, look.region, (height, width))
    try:
        times = concentration(values, look.region, look.heat.area)
    except InputError:
        mask.set_xlabel("outlined: the object, which the model does not look at", fontsize=7)
    else:
        mask.set_xlabel(f"inside the outline: {times:.1f} x its share of the area", fontsize=7)


def _bars(axes: Axes, look: Look) -> None:
    """Tokens that show no part of a picture of their own."""
    values = look.heat.mean(look.weights)
    if not values.size:
        framed(axes)
        text = f"No map: the picture's tokens are\n{lines(look.heat.note, 64)}"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9)
        return
    axes.bar(range(len(values)), values, color=GREYS[0], width=0.8)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{_who(look.heat)}: no map, {lines(look.heat.note, 60)}", fontsize=8)
    axes.set(xlabel="token of the picture", ylabel="activation")
    whole_numbers(axes, "x")
