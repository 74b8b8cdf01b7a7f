"""Which scores a recipe asks for, and what they need."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import RecipeError
from editkit.evaluate import METRICS
from editkit.recipe import Recipe, parse_recipe
from editkit.recipe.evaluation import ASKING, JUDGED, NEEDLESS, PARTS, SCORES, Condition

SMALL = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns}}
edits: [{suppress: gun}]
"""


def recipe(evaluate: dict[str, Any], **others: Any) -> Recipe:
    return parse_recipe(yaml.safe_dump({**yaml.safe_load(SMALL), "evaluate": evaluate, **others}))


def problem(evaluate: dict[str, Any], **others: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        recipe(evaluate, **others)
    (only,) = caught.value.problems
    return f"{only.path}: {only.message}"


def test_the_names_are_those_of_the_table() -> None:
    assert tuple(METRICS) == SCORES
    assert set(PARTS.values()) | {name for names in ASKING.values() for name in names} <= set(METRICS)


def test_a_key_asks_for_its_metrics() -> None:
    base = recipe({}).evaluate.metrics
    assert recipe({"perplexity": "a.txt"}).evaluate.scored == (*base, "perplexity", "perplexity_ratio")
    assert recipe({"probes": {"negation": "auto"}}).evaluate.scored == (*base, "efficacy_negation")
    assert len(recipe({"probes": {"modality": True}}).evaluate.scored) == len(base) + 6


def test_of_a_keys_metrics_those_that_are_named_are_enough() -> None:
    named = ["efficacy", "locality", "perplexity_ratio"]
    assert list(recipe({"perplexity": "a.txt", "metrics": named}).evaluate.scored) == named


@pytest.mark.parametrize("key", sorted(set(ASKING) - set(NEEDLESS)))
def test_a_metric_without_the_key_it_needs(key: str) -> None:
    names = ASKING[key]
    asked = ["efficacy", "locality", names[-1]]
    assert problem({"metrics": asked}) == f"evaluate.metrics[2]: needs evaluate.{key}"


def test_bertscore_needs_an_encoder_where_none_ships() -> None:
    metrics = {"metrics": ["efficacy", "locality", "bertscore"]}
    assert recipe(metrics).evaluate.scored[-1] == "bertscore"
    assert problem(metrics, model="org/name").startswith("evaluate.metrics[2]: needs evaluate.encoder")
    assert recipe({**metrics, "encoder": "org/bert"}, model="org/name").evaluate.encoder is not None


def test_modalities_need_pictures() -> None:
    told = problem({"probes": {"modality": True}}, probe={"prompts": ["a"]})
    assert told == "evaluate.probes.modality: needs probe.images"


@pytest.mark.parametrize(
    ("given", "read"),
    [("auto", "auto"), (["What is it?"], ("What is it?",)), ("What is it?", ("What is it?",))],
)
def test_prompts_are_listed_or_those_that_ship(given: Any, read: Any) -> None:
    made = recipe({"probes": {"paraphrase": given}})
    assert made.evaluate.probes.paraphrase == read
    assert parse_recipe(made.to_yaml()) == made


@pytest.mark.parametrize("given", ["a.txt", ["a.txt"]])
def test_texts_are_a_path_or_several(given: Any) -> None:
    made = recipe({"perplexity": given})
    assert made.evaluate.perplexity == ("a.txt",)
    assert parse_recipe(made.to_yaml()) == made


@pytest.mark.parametrize("bad", [{"perplexity": []}, {"probes": {"negation": []}}, {"probes": {"count": 0}}])
def test_nothing_to_ask(bad: dict[str, Any]) -> None:
    assert "expected" in problem(bad)


@given(name=st.sampled_from(JUDGED))
def test_accept_may_name_every_score_that_is_measured(name: str) -> None:
    every = {"perplexity": "a", "probes": {"paraphrase": "auto", "negation": "auto", "modality": True}}
    every["pope"] = {"demo": "guns"}
    made = recipe({**every, "metrics": list(METRICS)}, accept={name: "<= 1"})
    assert made.accept == {name: Condition("<=", 1.0)}


def test_accept_of_what_nobody_measures() -> None:
    told = problem({"metrics": ["efficacy"]}, accept={"rouge_l": ">= 0.9"})
    assert told == "accept.rouge_l: needs rouge_l among evaluate.metrics"
    assert "did you mean rouge_l?" in problem({}, accept={"rougel": ">= 0.9"})
