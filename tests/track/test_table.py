"""Which cases a reviewer sees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from editkit.plan import Picture
from editkit.report import Row
from editkit.track.table import chosen, columns


def row(case: str, *, ok: bool, changed: bool = False, images: tuple[str, ...] = ()) -> Row:
    after = "changed" if changed else "same"
    return Row(case, "held_out", 0, "Say it.", images, "same", after, None, None, False, ok)


@given(kinds=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=150))
def test_the_worst_come_first_and_success_is_seen_too(kinds: list[tuple[bool, bool]]) -> None:
    rows = [row(str(at), ok=ok, changed=changed) for at, (ok, changed) in enumerate(kinds)]
    kept = chosen(rows)
    assert len(kept) == min(60, len(rows))
    assert [each.ok for each in kept] == sorted(each.ok for each in kept)
    fine = [each for each in kept if each.ok]
    assert len(fine) >= min(20, sum(ok for ok, _ in kinds))
    assert [each.before == each.after for each in fine] == sorted(each.before == each.after for each in fine)


def test_a_column_of_pictures_holds_only_pictures(picture: Picture) -> None:
    broken = Picture("broken", b"no picture")
    rows = [row("a", ok=True, images=("gun-01",)), row("b", ok=True), row("c", ok=True, images=("broken",))]
    shown = columns(rows, {"gun-01": picture, "broken": broken})["picture"]
    assert [image.size for image in shown] == [(64, 64), (1, 1), (1, 1)]


def test_there_is_no_column_of_pictures_without_any() -> None:
    table = columns([row("a", ok=True)], {})
    assert "picture" not in table
    assert {len(column) for column in table.values()} == {1}
