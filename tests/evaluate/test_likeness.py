"""All answers are read at once, and each gets its own figures back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from editkit.evaluate.likeness import alike
from editkit.evaluate.metric import Observation
from editkit.evaluate.similarity.available import similarity
from editkit.evaluate.wording import BERTSCORE, REFERENCE_BERTSCORE
from editkit.plan import Case, Known
from editkit.recipe import parse_recipe

BOTH = ("bertscore", "reference_bertscore")


class Shared:
    """The share of the reference's words that the candidate has."""

    name, reads = "shared", "nothing"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        self.calls += 1
        pairs = [(set(a.split()), b.split()) for a, b in zip(candidates, references, strict=True)]
        return [sum(word in own for word in other) / len(other) for own, other in pairs]


def test_each_case_gets_its_own(case_of: Callable[..., Case]) -> None:
    known = Known(references=("a dog", "a red cup"))
    cases = [
        case_of("control", "a cup"),
        case_of("edit", "a gun", known=known),
        case_of("held_out", "a gun", known=known),
        case_of("control", "a red hat", known=known),
    ]
    seen = [Observation(text, (0.5,)) for text in ("a hat", "a cup", "a cup", "a red cup")]
    judge = Shared()
    found = alike(judge, BOTH, cases, seen)
    assert judge.calls == 1
    assert [dict(one.alike) for one in found] == [
        {"bertscore": 0.5},
        {},
        {"reference_bertscore": pytest.approx(2 / 3)},
        {"bertscore": pytest.approx(2 / 3), "reference_bertscore": 1.0},
    ]
    assert [(one.text, one.divergence) for one in found] == [(one.text, one.divergence) for one in seen]
    assert BERTSCORE.values(cases[0], found[0], None) == (0.5,)
    assert BERTSCORE.values(cases[1], found[1], None) == ()
    assert REFERENCE_BERTSCORE.values(cases[3], found[3], None) == (1.0,)


def test_only_what_is_asked_for_is_read(case_of: Callable[..., Case]) -> None:
    (found,) = alike(
        Shared(),
        ("bertscore",),
        [case_of("control", "a", known=Known(references=("a",)))],
        [Observation("a")],
    )
    assert list(found.alike) == ["bertscore"]


def test_by_the_encoder_that_ships(case_of: Callable[..., Case]) -> None:
    recipe = parse_recipe(
        "{version: 1, name: a, model: demo/scenes, edits: [{suppress: gun}], probe: {prompts: [b]}}"
    )
    bertscore = similarity(recipe, "bertscore")
    assert bertscore.reads == "demo/encoder, layer 3"
    cases = [case_of("control", "a red cup.") for _ in range(3)]
    texts = ("a red cup.", "a red hat.", "the capital of Avaria is Belton.")
    same, near, far = alike(bertscore, BOTH, cases, [Observation(text) for text in texts])
    assert same.alike["bertscore"] == pytest.approx(1.0, abs=1e-5)
    assert 1.0 > near.alike["bertscore"] > far.alike["bertscore"]
