"""Where in a fed sequence each picture is: the positions of its tokens, and which of them are a plain grid.

Processors differ in how they cut a picture up and what they put between the parts; one entry of `RULES` says
it for each. Positions count the padding, and are those of the encoder's sequence where one reads the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import isqrt
from typing import Any, Final

import torch
from torch import Tensor

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.feed import Fed

WHOLE: Final = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class PicturePlace:
    """Where one picture is in a fed sequence.

    Attributes:
        columns: positions of all tokens that carry it, int64 `[n]`, ascending; none where a picture is seen
            through cross-attention. Marks between its parts are left out.
        view: those that show it as one plain grid, row by row, int64 `[rows * columns]`; none without a grid.
        grid: rows and columns of the view.
        area: what part of the picture the view shows: left, top, right and bottom in fractions of its sides,
            beyond 0 and 1 where it was padded.
        note: what the tokens are, in words.
    """

    columns: Tensor
    view: Tensor
    grid: tuple[int, int] | None
    area: tuple[float, float, float, float]
    note: str


@dataclass(frozen=True)
class _Seen:
    """One input of a batch: its prompt's tokens, where those for pictures are, and its pictures' sizes.

    `before` counts the pictures of the inputs before it.
    """

    editable: Editable
    inputs: dict[str, Tensor]
    ids: Tensor
    places: Tensor
    sizes: tuple[tuple[int, int], ...]
    before: int

    @property
    def processor(self) -> Any:
        return self.editable.processor

    def per_picture(self, name: str) -> list[list[int]]:
        """The rows of an input that has one for each picture of the batch."""
        rows: list[list[int]] = self.inputs[name].tolist()
        return rows[self.before : self.before + len(self.sizes)]


@dataclass(frozen=True)
class _Part:
    """What a picture's tokens are: `length` with the marks; `carrying` and `view` count from its first."""

    length: int
    carrying: Sequence[int]
    view: Sequence[int]
    grid: tuple[int, int] | None
    note: str
    area: tuple[float, float, float, float] = WHOLE


Rule = Callable[[_Seen], list[_Part]]


def picture_places(editable: Editable, fed: Fed) -> list[list[PicturePlace]]:
    """For each input of a batch and each of its pictures, in their order, where its tokens are.

    Raises:
        ModelError: the processor cuts pictures up in a way that is not known here.
    """
    found, before = [], 0
    end = None if editable.encoder_decoder else fed.n_prompt
    token = editable.picture_token
    rule = RULES.get(
        type(editable.processor).__name__, _merged if "image_grid_thw" in fed.inputs else _unknown
    )
    for row, sizes in zip(fed.inputs["input_ids"].cpu(), fed.sizes, strict=True):
        ids = row[:end]
        places = torch.zeros(0, dtype=torch.int64) if token is None else (ids == token).nonzero().flatten()
        seen = _Seen(editable, fed.inputs, ids, places, sizes, before)
        found.append(_placed(seen, rule(seen) if sizes else []))
        before += len(sizes)
    return found


def beside(editable: Editable) -> bool:
    """Whether it sees pictures through cross-attention: they are nowhere in the sequence."""
    return RULES.get(type(editable.processor).__name__) is _beside


def _placed(seen: _Seen, parts: list[_Part]) -> list[PicturePlace]:
    lengths = [part.length for part in parts]
    if len(parts) != len(seen.sizes) or (sum(lengths) != len(seen.places) and any(lengths)):
        raise ModelError(
            f"{seen.editable.name}: {len(seen.places)} tokens for {len(seen.sizes)} pictures, "
            f"where {lengths} are known: nobody can tell where each is"
        )
    own = seen.places[: sum(lengths)].split(lengths)
    return [
        PicturePlace(places[list(part.carrying)], places[list(part.view)], part.grid, part.area, part.note)
        for places, part in zip(own, parts, strict=True)
    ]


def _grid(rows: int, columns: int, note: str, area: tuple[float, float, float, float] = WHOLE) -> _Part:
    every = range(rows * columns)
    return _Part(len(every), every, every, (rows, columns), note, area)


def _square(seen: _Seen) -> list[_Part]:
    """PaliGemma and Gemma 3: each picture is scaled to one square of patches, which the latter pools."""
    side = isqrt(len(seen.places) // len(seen.sizes))
    return [_grid(side, side, "patches") for _ in seen.sizes]


def _patched(seen: _Seen) -> list[_Part]:
    """LLaVA: the patches of a square, behind a token for all of them if it is kept.

    Models converted to it whose pictures are asked by queries say that their one patch is the whole picture.
    """
    by, count = seen.processor.patch_size, len(seen.places) // len(seen.sizes)
    rows, columns = (side // by for side in seen.inputs["pixel_values"].shape[-2:])
    if rows * columns == 1:
        return _asked(seen)
    view = range(count - rows * columns, count)
    cropped = partial(_cropped, seen.processor.image_processor)
    return [
        _Part(count, range(count), view, (rows, columns), "patches", cropped(*size)) for size in seen.sizes
    ]


def _cropped(looks: Any, width: int, height: int) -> tuple[float, float, float, float]:
    """What is left of a picture of which the middle is cut out, after it was scaled."""
    if not getattr(looks, "do_center_crop", False):
        return WHOLE
    size, crop = looks.size, looks.crop_size
    if size.get("shortest_edge"):
        scale = size["shortest_edge"] / min(width, height)
        scaled = (width * scale, height * scale)
    else:
        scaled = (size["width"], size["height"])
    left, top = ((1 - crop[name] / side) / 2 for name, side in zip(("width", "height"), scaled, strict=True))
    return left, top, 1 - left, 1 - top


def _merged(seen: _Seen) -> list[_Part]:
    """Qwen-VL: patches in the picture's own shape, several of them merged into one token."""
    by = int(seen.editable.model.config.vision_config.spatial_merge_size)
    shapes = seen.per_picture("image_grid_thw")
    return [_grid(rows // by, columns // by, f"{by} x {by} patches each") for _, rows, columns in shapes]


def _broken(seen: _Seen) -> list[_Part]:
    """Pixtral: patches in the picture's own shape; other tokens than the picture's end its rows."""
    by = seen.processor.patch_size * seen.processor.spatial_merge_size
    return [_grid(height // by, width // by, "patches") for height, width in seen.per_picture("image_sizes")]


def _tiled(seen: _Seen) -> list[_Part]:
    """LLaVA-NeXT and OneVision: the whole picture, and then all of its tiles together, row by row.

    Each row of tiles ends with a mark that is the same for all pictures. OneVision has no tiles, and one
    mark, where an input has several pictures.
    """
    reads = seen.processor
    height, width = seen.inputs["pixel_values"].shape[-2:]
    fixed: int | None = getattr(reads, "num_image_tokens", None)
    rows, columns = (height // reads.patch_size, width // reads.patch_size) if fixed is None else (0, 0)
    if fixed is not None:
        rows = columns = isqrt(fixed)
        if len(seen.sizes) > 1:
            base = range(rows * columns)
            return [_Part(len(base) + 1, base, base, (rows, columns), "patches") for _ in seen.sizes]
    return [_with_tiles(reads, rows, columns, (height, width), size) for size in seen.sizes]


def _with_tiles(reads: Any, rows: int, columns: int, tile: tuple[int, int], size: tuple[int, int]) -> _Part:
    from transformers.image_processing_utils import select_best_resolution

    base = rows * columns
    best = select_best_resolution(size[::-1], reads.image_processor.image_grid_pinpoints)
    scale = (best[0] // tile[0], best[1] // tile[1])
    shown, n_rows = reads._get_unpadded_features(size[1], size[0], rows, columns, *scale)
    wide = shown // max(1, n_rows)  # of a very long picture no row may be left
    tiles = [base + row * (wide + 1) + column for row in range(n_rows) for column in range(wide)]
    note = f"the whole picture; {n_rows} rows of {wide} tokens, finer, follow"
    return _Part(base + shown + n_rows, [*range(base), *tiles], range(base), (rows, columns), note)


def _cut(seen: _Seen) -> list[_Part]:
    """Idefics 3 and SmolVLM: pieces of a picture, and then the whole behind a mark."""
    length = seen.processor.image_seq_len
    mark = seen.editable.tokenizer.convert_tokens_to_ids("<global-img>")
    firsts = seen.places[::length]
    parts, pieces = [], 0
    for first in firsts.tolist():
        if int(seen.ids[first - 1]) == mark:
            parts.append(_last(length, pieces))
            pieces = 0
        else:
            pieces += 1
    return parts


def _fenced(seen: _Seen) -> list[_Part]:
    """InternVL: tiles of a picture, and then, where there are several, the whole; a fence around all."""
    length, start = seen.processor.image_seq_length, seen.processor.start_image_token_id
    starts = (seen.ids == start).nonzero().flatten()
    bounds = [*torch.searchsorted(seen.places, starts).tolist(), len(seen.places)]
    counts = [(high - low) // length for low, high in pairwise(bounds)]
    return [_last(length, count - 1) for count in counts]


def _last(length: int, pieces: int) -> _Part:
    """A picture in pieces and then as a whole, each of so many tokens."""
    side, every = isqrt(length), range(length * (pieces + 1))
    note = f"the whole picture, behind {pieces} pieces of {length} tokens" if pieces else "patches"
    return _Part(len(every), every, every[length * pieces :], (side, side), note)


def _asked(seen: _Seen) -> list[_Part]:
    """BLIP-2 and its kin: queries, each of which looks everywhere; mPLUG-Owl2 ends them with a mark."""
    each = len(seen.places) // len(seen.sizes)
    resampler: Any = getattr(seen.editable.model.config, "abstractor_config", None)
    queries = range(each if resampler is None else resampler.num_learnable_queries)
    return [_Part(each, queries, (), None, "queries that look everywhere") for _ in seen.sizes]


def _beside(seen: _Seen) -> list[_Part]:
    """Mllama and Idefics: layers of their own attend to pictures, which are not in the sequence."""
    return [_Part(0, (), (), None, "not in the sequence: seen through cross-attention") for _ in seen.sizes]


def _unknown(seen: _Seen) -> list[_Part]:
    """A processor nobody told us of: one picture's tokens are known, their order is not."""
    each = len(seen.places) if len(seen.sizes) == 1 else 0
    return [_Part(each, range(each), (), None, "tokens whose order is not known") for _ in seen.sizes if each]


RULES: Final[dict[str, Rule]] = {
    "Blip2Processor": _asked,
    "Gemma3Processor": _square,
    "Idefics3Processor": _cut,
    "IdeficsProcessor": _beside,
    "InstructBlipProcessor": _asked,
    "InternVLProcessor": _fenced,
    "LlavaNextProcessor": _tiled,
    "LlavaOnevisionProcessor": _tiled,
    "LlavaProcessor": _patched,
    "MllamaProcessor": _beside,
    "PaliGemmaProcessor": _square,
    "PixtralProcessor": _broken,
    "SmolVLMProcessor": _cut,
}
