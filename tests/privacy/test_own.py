"""Words of editkit's own pages."""

from __future__ import annotations

from editkit.privacy.own import own_words


def test_what_pages_and_settings_say_is_known() -> None:
    found = own_words()
    assert {
        "table",
        "verdict",
        "accepted",
        "intervals",
        "recipe",
        "locality",
        "evaluate",
        "suppress",
    } <= found


def test_examples_in_docstrings_are_not_said() -> None:
    assert own_words().isdisjoint({"gun", "guns", "bag"})
