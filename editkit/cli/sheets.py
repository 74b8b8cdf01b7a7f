"""Tables that are shown on the screen or written as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Sheet:
    """One table; every cell is text, and `more` says what was left out of it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: str = ""

    @classmethod
    def of(cls, columns: Sequence[str], rows: Iterable[Sequence[str]], limit: int | None = None) -> Sheet:
        """A table of the first `limit` rows."""
        whole = tuple(tuple(row) for row in rows)
        left = len(whole) - len(whole[:limit])
        return cls(tuple(columns), whole[:limit], f"and {left:,} more (--json has all)" if left else "")

    def table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        made = Table(*self.columns, caption=self.more or None, caption_justify="left")
        for row in self.rows:
            made.add_row(*(Text(cell, overflow="fold") for cell in row))
        return made

    def markdown(self) -> str:
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        text = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
        return f"{text}\n\n{self.more}" if self.more else text


def number(value: float | None) -> str:
    """Four digits; `-` where there is none."""
    return "-" if value is None else f"{value:.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
