"""Settings and scores under names that MLflow takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name

from editkit.report import Report
from editkit.track.values import allowed, flat, merged, worst

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
NESTED = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
)


def test_nested_settings_get_dotted_names() -> None:
    settings = {"a": {"b": 1, "c": None}, "d": [1, 2], "e": [{"f": "x"}], "g": {}, "h": True}
    assert flat(settings, "recipe") == {
        "recipe.a.b": "1",
        "recipe.a.c": "null",
        "recipe.d": "[1, 2]",
        "recipe.e.0.f": "x",
        "recipe.g": "{}",
        "recipe.h": "true",
    }


@given(settings=NESTED)
def test_every_setting_is_under_the_prefix(settings: dict[str, Any]) -> None:
    names = flat(settings, "recipe")
    assert {name.split(".")[1] for name in names} == set(settings)


@given(name=st.text(min_size=1, max_size=20))
def test_any_name_becomes_one_that_mlflow_takes(name: str) -> None:
    # Paths such as a//b and a/../b are no names either, but nothing here makes them.
    _validate_metric_name("loss/" + allowed(name.replace("/", "").replace(".", "")) + "x")


def test_the_worst_edit_decides(report: Report) -> None:
    better = report.scores[0]
    weaker = type(better)("efficacy", type(better.after)(0.2, better.after.interval, 10), edit=1)
    both = Report((*report.scores, weaker), report.verdict, report.counts)
    assert [(score.name, score.edit) for score in worst(both)] == [("efficacy", 1), ("drift", 0)]


def test_a_side_that_was_not_measured_has_no_metric(report: Report) -> None:
    drift = report.scores[1]
    assert merged([drift]) == pytest.approx(
        {"drift/after": 0.06, "drift/after_low": 0.01, "drift/after_high": 0.11}
    )
