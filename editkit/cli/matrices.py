"""Where a checkpoint keeps its W_out, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editkit.model.facts import Matrices


def matrices_lines(title: str, found: Sequence[Matrices]) -> Iterator[str]:
    """Three lines for each kind: its name in the model, its name in the files, its sizes."""
    from editkit.model.facts import ranges

    yield title
    for one in found:
        neurons, width = one.shape
        experts = "" if one.experts is None else f"{one.experts} experts each, "
        yield f"  {one.path}"
        yield f"    in the files {one.tensor}"
        sizes = f"{experts}{neurons:,} neurons of {width:,} numbers"
        yield f"    layers {ranges(one.layers)}, {sizes}, {one.dtype}, neurons are {one.orientation}"
