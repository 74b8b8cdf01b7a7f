"""What all inpainters have in common: only what is under the mask ever changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from editkit.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]


class Inpainter(BaseModel, ABC):
    """A way to paint over a part of a picture, with its settings; equal settings paint alike."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def beside(self, resolve: Callable[[str], Path]) -> Self:
        """Itself, with paths that begin at the recipe's folder resolved."""
        return self

    def check(self) -> None:
        """Look whether everything is there that it needs, without loading it.

        Raises:
            UsageError: a package is not installed.
            InputError: a file is not there.
        """

    def identity(self) -> str:
        """What its painting hangs on, as text: equal text, equal painting."""
        return self.model_dump_json()

    def fill(self, picture: Pixels, mask: Mask) -> Pixels:
        """The picture `[height, width, 3]` with what is under the mask `[height, width]` painted over.

        All other pixels are those of `picture`, bit for bit; both arguments stay as they are.

        Raises:
            InputError: the mask covers everything, so there is nothing to go by; or the painter refuses.
            UsageError: see `check`.
        """
        import numpy as np

        if not mask.any():
            return picture.copy()
        if mask.all():
            raise InputError("a mask covers the whole picture: nothing is left to paint it over from")
        return np.where(mask[..., None], self.painted(picture, mask), picture)

    @abstractmethod
    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        """A picture of the same size; what it holds outside the mask does not matter."""
