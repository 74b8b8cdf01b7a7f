"""Where in a picture: a set of its pixels, as masks and inpainted twins speak of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Region:
    """Pixels of a picture of `height` x `width`, eight to a byte, row by row."""

    height: int
    width: int
    bits: bytes

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Region:
        """The true pixels of a mask `[height, width]`."""
        import numpy as np

        return cls(mask.shape[0], mask.shape[1], np.packbits(mask).tobytes())

    def mask(self) -> NDArray[np.bool_]:
        """True where it is, `[height, width]`."""
        import numpy as np

        flat = np.unpackbits(np.frombuffer(self.bits, dtype=np.uint8), count=self.height * self.width)
        found: NDArray[np.bool_] = flat.astype(np.bool_).reshape(self.height, self.width)
        return found

    @property
    def share(self) -> float:
        """Its share of the picture's area."""
        return float(self.mask().mean())
