"""Where a checkpoint keeps its W_out, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from editkit.model.facts import Matrices


def matrices_table(title: str, found: Sequence[Matrices]) -> Table:
    """module | layers | experts | neurons | shape and dtype in the files; names are folded, never cut."""
    from editkit.model.facts import ranges

    table = Table(title=title, title_justify="left")
    table.add_column("module, and its tensor in the files", overflow="fold")
    for name in ("layers", "experts", "neurons", "d_model"):
        table.add_column(name, justify="right")
    table.add_column("stored as")
    for one in found:
        table.add_row(
            f"{one.path}\n{one.tensor}",
            ranges(one.layers),
            "-" if one.experts is None else str(one.experts),
            *map(str, one.shape),
            f"{one.dtype}, neurons are {one.orientation}",
        )
    return table
