"""A figure drawn once, to be kept in several places."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawn:
    """The PNG of a figure; is saved as a figure is."""

    png: bytes

    def savefig(self, place: Path) -> None:
        place.write_bytes(self.png)


def drawn(figure: Figure) -> Drawn:
    """Drawing takes most of a second where there are pictures in it."""
    found = io.BytesIO()
    figure.savefig(found, format="png")
    return Drawn(found.getvalue())
