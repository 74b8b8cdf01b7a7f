from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from editkit.recipe.parts import CocoImages
from editkit.recipe.problems import did_you_mean, explain, keyed


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(ge=1, le=9, description="how large")
    names: dict[str, float] = {}
    deep: Inner | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    source: Inner = Field(alias="from")
    many: list[Inner] = []
    either: int | bool | None = None


def told(data: dict[str, Any], also: tuple[str, ...] = ()) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return {str(problem) for problem in explain(caught.value, Outer, data, also)}


@pytest.mark.parametrize(
    ("data", "sentences"),
    [
        ({}, {"from: is missing"}),
        ({"from": {}}, {"from.size: is missing: how large"}),
        ({"from": {"size": 1}, "fron": 2}, {"fron: unknown key, did you mean from?"}),
        ({"from": {"size": 1}, "zzz": 2}, {"zzz: unknown key; known here: from, many, either, shared"}),
        ({"from": {"size": 10}}, {"from.size: expected a number of at most 9"}),
        ({"from": {"size": 1, "deep": {"sise": 2}}}, {
            "from.deep.size: is missing: how large", "from.deep.sise: unknown key, did you mean size?",
        }),
        ({"from": {"size": 1}, "many": [{"size": 1}, {"size": 1.5}, 3]}, {
            "many[1].size: expected a whole number", "many[2]: expected keys with values",
        }),
        ({"from": {"size": 1, "names": {"a": "x", "b": 1.0}}}, {"from.names.a: expected a number"}),
        ({"from": {"size": 1}, "either": "x"}, {"either: expected a whole number or true or false"}),
    ],
)  # fmt: skip
def test_problems_in_words(data: dict[str, Any], sentences: set[str]) -> None:
    assert told(data, also=("shared",)) == sentences


def test_did_you_mean() -> None:
    assert did_you_mean("EFFICAY", ["efficacy", "drift"]) == ", did you mean efficacy?"
    assert did_you_mean("x", ["efficacy", "drift"]) == "; known here: efficacy, drift"


@pytest.mark.parametrize(
    ("value", "member"),
    [
        ("text", "<text>"),
        (["a"], "<list>"),
        (("a",), "<list>"),
        ({"demo": 1}, "<demo>"),
        ({"dmeo": 1}, "<demo>"),
        ({"folder": 1, "demo": 1}, "<demo>"),
        (CocoImages(coco="a", images="b"), "<coco>"),
        ({"zzz": 1}, None),
        (3, None),
        (None, None),
    ],
)
def test_the_member_of_a_union_is_known_by_its_key(value: object, member: str | None) -> None:
    assert keyed("demo", "coco", "folder")(value) == member
