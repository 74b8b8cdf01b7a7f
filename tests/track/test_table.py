"""The table that MLflow's pages show."""

from __future__ import annotations

from editkit.plan import Picture
from editkit.report import Row
from editkit.track.table import columns


def row(case: str, *, ok: bool, changed: bool = False, images: tuple[str, ...] = ()) -> Row:
    after = "changed" if changed else "same"
    return Row(case, "held_out", 0, "Say it.", images, "same", after, None, None, False, ok)


def test_a_column_of_pictures_holds_only_pictures(picture: Picture) -> None:
    broken = Picture("broken", b"no picture")
    rows = [row("a", ok=True, images=("gun-01",)), row("b", ok=True), row("c", ok=True, images=("broken",))]
    shown = columns(rows, {"gun-01": picture, "broken": broken})["picture"]
    assert [image.size for image in shown] == [(64, 64), (1, 1), (1, 1)]


def test_tables_of_all_runs_have_the_same_columns(picture: Picture) -> None:
    words = columns([row("a", ok=True)], {})
    seen = columns([row("b", ok=False, changed=True, images=("gun-01",))], {"gun-01": picture})
    assert list(words) == list(seen)
    assert {len(column) for column in words.values()} == {1}
    assert seen["changed"] == ["-same +changed"]
