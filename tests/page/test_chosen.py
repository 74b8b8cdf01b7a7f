"""Which cases a reviewer sees."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from editkit.page.chosen import chosen
from editkit.report import Row
from tests.page.conftest import ROW


def row(case: str, *, ok: bool, changed: bool = False) -> Row:
    return replace(ROW, case=case, before="same", after="changed" if changed else "same", ok=ok)


@given(kinds=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=150))
def test_the_worst_come_first_and_success_is_seen_too(kinds: list[tuple[bool, bool]]) -> None:
    rows = [row(str(at), ok=ok, changed=changed) for at, (ok, changed) in enumerate(kinds)]
    kept = chosen(rows)
    assert len(kept) == min(60, len(rows))
    assert [each.ok for each in kept] == sorted(each.ok for each in kept)
    fine = [each for each in kept if each.ok]
    assert len(fine) >= min(20, sum(ok for ok, _ in kinds))
    assert [each.before == each.after for each in fine] == sorted(each.before == each.after for each in fine)


def test_edits_take_turns() -> None:
    rows = [
        replace(row(f"{edit}.{at}", ok=True, changed=True), edit=edit) for edit in (0, 1) for at in range(3)
    ]
    assert [each.case for each in chosen(rows, 4)] == ["0.0", "1.0", "0.1", "1.1"]


def test_no_suite_with_many_failures_hides_another() -> None:
    asked = [replace(row(f"p{at}", ok=False), role="side", suite="pope_random") for at in range(100)]
    kept = chosen([*asked, row("h0", ok=False), row("h1", ok=False)])
    assert [each.case for each in kept[:5]] == ["p0", "h0", "p1", "h1", "p2"]
