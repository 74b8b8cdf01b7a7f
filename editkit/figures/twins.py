"""Pictures and their twins: what was painted over, and what random regions of equal area give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from editkit.figures.canvas import figure
from editkit.figures.lettering import lines, plain
from editkit.figures.pictures import framed, outlined, pixels
from editkit.plan import Picture, Twin

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def twins(pairs: Sequence[tuple[Picture, Twin]], nulls: int = 2, title: str = "") -> Figure:
    """A row for each picture: itself with the region outlined, its twin, and the first null twins.

    Raises:
        InputError: a picture can't be read.
    """
    most = min(nulls, max((len(twin.nulls) for _, twin in pairs), default=0))
    rows, columns = max(1, len(pairs)), 2 + most
    found = figure(2.1 * columns, 0.4 + 2.3 * rows)
    every = found.subplots(rows, columns, squeeze=False)
    for row, (picture, twin) in zip(every, pairs, strict=False):
        shown = pixels(picture)
        row[0].imshow(shown)
        framed(row[0], lines(picture.name, 28, 2))
        for at, painted in enumerate((twin.without, *twin.nulls[:most])):
            axes = row[1 + at]
            axes.imshow(pixels(painted.picture))
            region = painted.region
            share = "" if region is None else f", {region.share:.1%} of the area"
            framed(axes, f"random region {at}{share}" if at else f"painted over{share}")
            if region is not None:
                outlined(row[0] if at == 0 else axes, region, (shown.shape[0], shown.shape[1]))
        for axes in row[1 + 1 + len(twin.nulls[:most]) :]:
            axes.set_axis_off()
    found.suptitle(plain(title) or "Pictures and their twins", fontsize=11)
    return found
