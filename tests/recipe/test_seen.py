"""What a recipe may ask of CHAIR and POPE, and what it is told when it asks for something else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from editkit.errors import RecipeError
from editkit.evaluate import METRICS
from editkit.recipe import POPE_KINDS, PopeCoco, PopeDemo, PopeFiles, PopeKind, parse_recipe, pope_kind_of
from editkit.recipe.evaluation import CHAIR, POPE, SCORES

SMALL = "version: 1\nname: a\nmodel: demo/scenes\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"
FILES = "files: [coco_pope_random.json, x/coco_pope_popular.jsonl], images: val2014"


def evaluated(text: str, more: str = "") -> Any:
    return parse_recipe(f"{SMALL}evaluate: {text}\n{more}").evaluate


def problem(text: str, more: str = "") -> str:
    with pytest.raises(RecipeError) as caught:
        evaluated(text, more)
    (one,) = caught.value.problems
    return str(one)


def test_the_three_forms_of_pope() -> None:
    assert evaluated(f"{{pope: {{{FILES}}}}}").pope == PopeFiles(
        files=("coco_pope_random.json", "x/coco_pope_popular.jsonl"), images="val2014", count=None
    )
    assert evaluated("{pope: {coco: i.json, images: b, kinds: [popular]}}").pope == PopeCoco(
        coco="i.json", images="b", count=100, kinds=("popular",), each=3
    )
    assert evaluated("{pope: {demo: pairs, count: 7}}").pope == PopeDemo(
        demo="pairs", count=7, kinds=POPE_KINDS
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{pope: {demo: nowhere}}", "6: evaluate.pope.demo: expected scenes, clear, "),
        ("{pope: true}", "6: evaluate.pope: expected {files: [...], images: ...}, {coco: ..., images: ...}"),
        (
            "{pope: {files: [a.json], images: b}}",
            "evaluate.pope.files[0]: its name must hold one of random, pop",
        ),
        (
            "{pope: {files: [r_random.json, random.json], images: b}}",
            "files[1]: another random file beside item 0",
        ),
        ("{pope: {files: [random.json]}}", "evaluate.pope.images: is missing: the folder of the pictures"),
        ("{pope: {files: [], images: b}}", "evaluate.pope.files: expected at least 1 item"),
        (
            "{pope: {coco: a, images: b, kinds: [popula]}}",
            "kinds[0]: expected random, popular or adversarial (did",
        ),
        ("{pope: {coco: a, images: b, kinds: [random, random]}}", "kinds[1]: the same as item 0"),
        ("{pope: {coco: a, images: b, each: 0}}", "evaluate.pope.each: expected a number of at least 1"),
        ("{pope: {demo: scenes, eech: 1}}", "evaluate.pope.eech: unknown key, did you mean each?"),
        (
            "{chair: {images: {folder: a}}}",
            "evaluate.chair.images: expected {demo: ...} or {coco: ..., images",
        ),
        ("{chair: {synonym: a}}", "evaluate.chair.synonym: unknown key, did you mean synonyms?"),
        ("{metrics: [efficacy, locality, pope_f1]}", "evaluate.metrics[2]: needs evaluate.pope"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    assert said in problem(text)


def test_keys_ask_for_their_scores() -> None:
    assert set(CHAIR) <= set(evaluated("{chair: {}}").scored)
    assert not set(POPE) & set(evaluated("{chair: {}}").scored)
    assert set(POPE) <= set(evaluated("{pope: {demo: scenes}}").scored)
    assert not {*CHAIR, *POPE} & set(evaluated("{batch_size: 2}").scored)
    named = evaluated("{metrics: [efficacy, locality, pope_f1], pope: {demo: scenes}}").scored
    assert set(POPE) & set(named) == {"pope_f1"}


@pytest.mark.parametrize("name", ["chair_i", "chair_i_held_out", "object_recall", "pope_f1_popular"])
def test_accept_may_name_them(name: str) -> None:
    keys = "{chair: {}, pope: {demo: scenes}}"
    assert (
        str(parse_recipe(f"{SMALL}evaluate: {keys}\naccept: {{{name}: '<= 0.5'}}").accept[name]) == "<= 0.5"
    )


def test_accept_needs_what_measures_them() -> None:
    said = problem("{batch_size: 2}", "accept: {pope_f1_popular: '>= 0.5'}")
    assert "accept.pope_f1_popular: needs evaluate.pope" in said
    said = problem("{batch_size: 2}", "accept: {chair_i: '<= 0.5'}")
    assert "accept.chair_i: needs chair_i among evaluate.metrics" in said
    said = problem("{metrics: [pope_yes], pope: {demo: scenes}}", "accept: {pope_f1_popular: '>= 0.5'}")
    assert "needs pope_f1 among evaluate.metrics" in said
    said = problem("{pope: {demo: scenes}}", "accept: {pope_f1: '>= 0.5'}")
    assert "expected the name of a score, did you mean pope_f1_" in said


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("coco_pope_popular.json", "popular"),
        ("files/random/Adversarial.head300.jsonl", "adversarial"),
        ("coco_pope.json", None),
        ("popularity.json", None),
        ("random-and-popular.json", None),
    ],
)
def test_a_file_tells_by_its_name_how_objects_were_chosen(name: str, kind: PopeKind | None) -> None:
    assert pope_kind_of(name) == kind


def test_the_names_are_those_of_the_table() -> None:
    assert {*CHAIR, *POPE} <= set(METRICS)
    assert set(SCORES) == set(METRICS)


def test_a_recipe_comes_back_as_it_was() -> None:
    recipe = parse_recipe(f"{SMALL}evaluate: {{chair: {{images: {{demo: pairs}}}}, pope: {{{FILES}}}}}")
    assert parse_recipe(recipe.to_yaml()) == recipe
    assert yaml.safe_load(recipe.to_yaml())["evaluate"]["pope"]["images"] == "val2014"
