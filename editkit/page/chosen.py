"""Which cases a reviewer sees of many: the worst of every sort first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from editkit.report import Row

ROWS: Final = 60
# Failures never fill the whole table: a reviewer wants to see what success looks like too.
FAILURES: Final = 40


def chosen(rows: Iterable[Row], most: int = ROWS, failures: int = FAILURES) -> tuple[Row, ...]:
    """At most `most` rows: those that failed, then those that changed, then the rest.

    In each of these the sorts of case, and the edits, take turns: one with many failures hides no other.
    """
    everything = tuple(rows)
    failed = [*_in_turn([row for row in everything if not row.ok])]
    changed = [*_in_turn([row for row in everything if row.ok and row.before != row.after])]
    same = [*_in_turn([row for row in everything if row.ok and row.before == row.after])]
    fine = [*changed, *same]
    kept = failed[: max(failures, most - len(fine))]
    return (*kept, *fine)[:most]


def _in_turn(rows: Sequence[Row]) -> Iterator[Row]:
    """One row of each sort and edit, then the second of each; within a sort the order stays."""
    sorts: dict[tuple[str, int | None], list[Row]] = {}
    for row in rows:
        sorts.setdefault((row.part, row.edit), []).append(row)
    for turn in zip_longest(*sorts.values()):
        yield from (row for row in turn if row is not None)
