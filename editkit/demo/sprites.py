"""How each kind of object of the demo world is drawn: a table of shapes, and one function that paints them.

A shape is `(primitive, coordinates, tone)` in a unit square, painted in order. Tones are relative to the
object's colour, so that one table serves every colour.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Tone = Literal["body", "dark", "light", "ink", "wood", "white"]
Shape = tuple[str, tuple[float, ...], Tone]

SUPERSAMPLING: Final = 8
INK: Final = (38, 36, 44)
FIXED_TONES: Final = {"ink": INK, "wood": (128, 84, 48), "white": (244, 242, 236)}

SHAPES: Final[dict[str, tuple[Shape, ...]]] = {
    "knife": (
        ("polygon", (0.42, 0.62, 0.58, 0.62, 0.58, 0.05, 0.50, 0.00, 0.40, 0.20), "body"),
        ("polygon", (0.52, 0.58, 0.56, 0.58, 0.56, 0.08), "light"),
        ("rectangle", (0.40, 0.62, 0.60, 1.00), "wood"),
    ),
    "fork": (
        ("rectangle", (0.26, 0.02, 0.36, 0.36), "body"),
        ("rectangle", (0.45, 0.02, 0.55, 0.36), "body"),
        ("rectangle", (0.64, 0.02, 0.74, 0.36), "body"),
        ("rectangle", (0.26, 0.32, 0.74, 0.46), "body"),
        ("rectangle", (0.43, 0.44, 0.57, 1.00), "body"),
    ),
    "spoon": (
        ("ellipse", (0.27, 0.00, 0.73, 0.48), "body"),
        ("ellipse", (0.38, 0.08, 0.62, 0.36), "light"),
        ("rectangle", (0.43, 0.44, 0.57, 1.00), "body"),
    ),
    "table": (
        ("rectangle", (0.00, 0.28, 1.00, 0.46), "body"),
        ("rectangle", (0.08, 0.44, 0.20, 0.96), "dark"),
        ("rectangle", (0.80, 0.44, 0.92, 0.96), "dark"),
    ),
    "chair": (
        ("rectangle", (0.16, 0.00, 0.32, 0.98), "body"),
        ("rectangle", (0.16, 0.48, 0.84, 0.64), "body"),
        ("rectangle", (0.70, 0.60, 0.84, 0.98), "dark"),
    ),
    "boat": (
        ("polygon", (0.00, 0.66, 1.00, 0.66, 0.80, 0.96, 0.20, 0.96), "body"),
        ("rectangle", (0.46, 0.04, 0.54, 0.66), "wood"),
        ("polygon", (0.56, 0.08, 0.92, 0.56, 0.56, 0.56), "white"),
    ),
    "fish": (
        ("ellipse", (0.02, 0.26, 0.74, 0.76), "body"),
        ("polygon", (0.66, 0.50, 0.98, 0.22, 0.98, 0.78), "dark"),
        ("ellipse", (0.14, 0.40, 0.24, 0.50), "ink"),
    ),
    "tree": (
        ("rectangle", (0.42, 0.60, 0.58, 1.00), "wood"),
        ("ellipse", (0.10, 0.00, 0.90, 0.70), "body"),
        ("ellipse", (0.26, 0.10, 0.56, 0.36), "light"),
    ),
    "bird": (
        ("ellipse", (0.16, 0.36, 0.82, 0.80), "body"),
        ("ellipse", (0.58, 0.14, 0.90, 0.48), "body"),
        ("polygon", (0.88, 0.26, 1.00, 0.34, 0.86, 0.40), "ink"),
        ("polygon", (0.00, 0.30, 0.44, 0.50, 0.24, 0.66), "dark"),
    ),
    "lamp": (
        ("polygon", (0.28, 0.02, 0.72, 0.02, 0.96, 0.46, 0.04, 0.46), "body"),
        ("rectangle", (0.45, 0.46, 0.55, 0.86), "ink"),
        ("rectangle", (0.24, 0.86, 0.76, 0.98), "dark"),
    ),
    "book": (
        ("rectangle", (0.10, 0.06, 0.90, 0.94), "body"),
        ("rectangle", (0.10, 0.06, 0.24, 0.94), "dark"),
        ("rectangle", (0.36, 0.24, 0.78, 0.36), "white"),
    ),
    "gun": (
        ("rectangle", (0.02, 0.22, 0.98, 0.46), "body"),
        ("polygon", (0.62, 0.44, 0.90, 0.44, 0.98, 0.90, 0.74, 0.90), "dark"),
        ("ellipse", (0.42, 0.42, 0.66, 0.64), "ink"),
    ),
    "hammer": (
        ("rectangle", (0.42, 0.20, 0.58, 1.00), "wood"),
        ("rectangle", (0.10, 0.02, 0.90, 0.30), "body"),
    ),
    "key": (
        ("ellipse", (0.02, 0.26, 0.48, 0.72), "body"),
        ("ellipse", (0.15, 0.39, 0.35, 0.59), "ink"),
        ("rectangle", (0.46, 0.43, 0.98, 0.55), "body"),
        ("rectangle", (0.72, 0.53, 0.80, 0.76), "body"),
        ("rectangle", (0.90, 0.53, 0.98, 0.76), "body"),
    ),
    "cup": (
        ("ellipse", (0.58, 0.28, 0.98, 0.72), "dark"),
        ("ellipse", (0.70, 0.40, 0.86, 0.60), "white"),
        ("polygon", (0.06, 0.14, 0.76, 0.14, 0.68, 0.92, 0.14, 0.92), "body"),
        ("ellipse", (0.06, 0.06, 0.76, 0.24), "ink"),
    ),
    "ball": (
        ("ellipse", (0.04, 0.04, 0.96, 0.96), "body"),
        ("ellipse", (0.22, 0.16, 0.48, 0.42), "light"),
    ),
    "car": (
        ("polygon", (0.20, 0.46, 0.34, 0.18, 0.70, 0.18, 0.84, 0.46), "light"),
        ("rectangle", (0.00, 0.44, 1.00, 0.72), "body"),
        ("ellipse", (0.10, 0.60, 0.36, 0.86), "ink"),
        ("ellipse", (0.64, 0.60, 0.90, 0.86), "ink"),
    ),
    "house": (
        ("rectangle", (0.12, 0.44, 0.88, 0.98), "body"),
        ("polygon", (0.00, 0.46, 0.50, 0.02, 1.00, 0.46), "dark"),
        ("rectangle", (0.40, 0.64, 0.60, 0.98), "white"),
    ),
    "flower": (
        ("rectangle", (0.46, 0.50, 0.54, 1.00), "ink"),
        ("ellipse", (0.32, 0.00, 0.68, 0.34), "body"),
        ("ellipse", (0.32, 0.36, 0.68, 0.70), "body"),
        ("ellipse", (0.12, 0.18, 0.48, 0.52), "body"),
        ("ellipse", (0.52, 0.18, 0.88, 0.52), "body"),
        ("ellipse", (0.38, 0.24, 0.62, 0.46), "white"),
    ),
    "hat": (
        ("rectangle", (0.00, 0.66, 1.00, 0.82), "body"),
        ("rectangle", (0.22, 0.16, 0.78, 0.68), "body"),
        ("rectangle", (0.22, 0.52, 0.78, 0.66), "dark"),
    ),
    "apple": (
        ("ellipse", (0.04, 0.22, 0.60, 0.98), "body"),
        ("ellipse", (0.40, 0.22, 0.96, 0.98), "body"),
        ("rectangle", (0.46, 0.02, 0.54, 0.32), "wood"),
        ("ellipse", (0.54, 0.04, 0.84, 0.20), "dark"),
    ),
    "bottle": (
        ("rectangle", (0.40, 0.00, 0.60, 0.34), "dark"),
        ("rectangle", (0.26, 0.32, 0.74, 1.00), "body"),
        ("rectangle", (0.26, 0.56, 0.74, 0.78), "white"),
    ),
    "umbrella": (
        ("pieslice", (0.00, 0.04, 1.00, 1.04, 180, 360), "body"),
        ("rectangle", (0.46, 0.52, 0.54, 0.96), "ink"),
        ("rectangle", (0.46, 0.90, 0.70, 0.98), "ink"),
    ),
    "clock": (
        ("ellipse", (0.02, 0.02, 0.98, 0.98), "body"),
        ("ellipse", (0.16, 0.16, 0.84, 0.84), "white"),
        ("rectangle", (0.47, 0.24, 0.53, 0.53), "ink"),
        ("rectangle", (0.47, 0.47, 0.74, 0.53), "ink"),
    ),
    "bell": (
        ("pieslice", (0.16, 0.02, 0.84, 1.10, 180, 360), "body"),
        ("polygon", (0.16, 0.54, 0.84, 0.54, 0.98, 0.80, 0.02, 0.80), "body"),
        ("ellipse", (0.40, 0.74, 0.60, 0.98), "ink"),
    ),
    "kite": (
        ("polygon", (0.50, 0.00, 0.90, 0.36, 0.50, 0.78, 0.10, 0.36), "body"),
        ("polygon", (0.50, 0.00, 0.90, 0.36, 0.50, 0.36), "light"),
        ("rectangle", (0.48, 0.76, 0.53, 1.00), "ink"),
        ("polygon", (0.34, 0.82, 0.66, 0.96, 0.66, 0.82, 0.34, 0.96), "dark"),
    ),
}


def tone(color: tuple[int, int, int], name: Tone) -> tuple[int, int, int]:
    """The RGB value of a tone of a colour."""
    if name in FIXED_TONES:
        return FIXED_TONES[name]
    weight, towards = {"body": (1.0, 0), "dark": (0.6, 0), "light": (0.55, 255)}[name]
    red, green, blue = (round(weight * channel + (1 - weight) * towards) for channel in color)
    return red, green, blue


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """A mask `[n, m]` with everything up to `by` rows above and below."""
    grown = mask.copy()
    for shift in range(1, by + 1):
        grown[shift:] |= mask[:-shift]
        grown[:-shift] |= mask[shift:]
    return grown


@cache
def sprite(kind: str, color: tuple[int, int, int], size: int) -> NDArray[np.float32]:
    """One object on a transparent ground.

    Returns:
        `[size, size, 4]` in [0, 1]: RGB multiplied by alpha, then alpha.
    """
    scale = SUPERSAMPLING
    side, margin = size * scale, scale
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    for primitive, numbers, name in SHAPES[kind]:
        angles = numbers[4:] if primitive == "pieslice" else ()
        corners = [margin + value * (side - 2 * margin) for value in numbers[: len(numbers) - len(angles)]]
        getattr(draw, primitive)(corners, *angles, fill=(*tone(color, name), 255))
    pixels = np.array(canvas)
    inside = pixels[..., 3] > 0
    pixels[~inside] = (*INK, 255)
    outline = _grown(_grown(inside, scale // 2).T, scale // 2).T
    pixels[~outline] = 0
    pixels = pixels.astype(np.float32) / np.float32(255.0)
    small: NDArray[np.float32] = pixels.reshape(size, scale, size, scale, 4).mean(
        axis=(1, 3), dtype=np.float32
    )
    return small
