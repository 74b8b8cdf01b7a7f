"""Small nouns to draw."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from editkit.heat import Heat
from editkit.neuron import Neuron, Neurons
from editkit.plan import Picture
from editkit.region import Region
from editkit.report import Interval, Value


@pytest.fixture
def picture() -> Picture:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(encoded, "PNG")
    return Picture("gun-01", encoded.getvalue())


@pytest.fixture
def region() -> Region:
    """The upper left quarter of the picture."""
    mask = np.zeros((48, 64), dtype=np.bool_)
    mask[:24, :32] = True
    return Region.of(mask)


@pytest.fixture
def neurons() -> Neurons:
    return Neurons((Neuron(1, 4), Neuron(0, 2), Neuron(1, 0)), (3.0, 2.0, 0.5), "contribution")


@pytest.fixture
def make_heat() -> Callable[..., Heat]:
    """`make_heat(values, note=...)`: of as many neurons as there are values in the first place."""

    def make(values: np.ndarray, note: str = "patches") -> Heat:
        owners = tuple(Neuron(0, at) for at in range(len(values)))
        grid = values.shape[1:] if values.ndim == 3 else None
        return Heat(owners, values.astype(np.float32), grid, (0.0, 0.0, 1.0, 1.0), note)

    return make


@pytest.fixture
def value() -> Callable[[float], Value]:
    return lambda middle: Value(middle, Interval(middle - 0.05, middle + 0.05), 40)


@pytest.fixture
def drawn() -> Callable[[Figure], bytes]:
    """The bytes of a figure as PNG; what only goes wrong while drawing does so here."""

    def draw(figure: Figure) -> bytes:
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        return stream.getvalue()

    return draw


@pytest.fixture
def words() -> Callable[[Figure], str]:
    """All that is written in a figure."""
    from matplotlib.text import Text

    return lambda figure: "\n".join(text.get_text() for text in figure.findobj(Text))
