"""A figure drawn once, to be kept in several places."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawn:
    """The PNG of a figure; is saved as a figure is.

    Attributes:
        texts: all that is written in it; `pictures` whether it shows any.
    """

    png: bytes
    texts: tuple[str, ...] = ()
    pictures: bool = False

    def savefig(self, place: Path) -> None:
        place.write_bytes(self.png)


def drawn(figure: Figure) -> Drawn:
    """Drawing takes most of a second where there are pictures in it."""
    found = io.BytesIO()
    figure.savefig(found, format="png")
    return replace(told(figure), png=found.getvalue())


def told(figure: Figure) -> Drawn:
    """What stands in a figure, without drawing it."""
    from matplotlib.image import _ImageBase
    from matplotlib.text import Text

    texts = tuple(text for found in figure.findobj(Text) if (text := found.get_text().strip()))
    # Colours of their own: shades of one colour are a table's.
    arrays = [found.get_array() for found in figure.findobj(_ImageBase)]
    return Drawn(b"", texts, any(array is not None and array.ndim == 3 for array in arrays))
