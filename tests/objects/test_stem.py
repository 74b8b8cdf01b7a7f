"""Singular and plural are one noun, and different nouns are not."""

from __future__ import annotations

from itertools import combinations

import pytest

from editkit.demo.world import KINDS
from editkit.objects import coco, stem

PLURALS = {
    "person": "people", "bicycle": "bicycles", "car": "cars", "motorcycle": "motorcycles",
    "airplane": "airplanes", "bus": "buses", "train": "trains", "truck": "trucks", "boat": "boats",
    "traffic light": "traffic lights", "fire hydrant": "fire hydrants", "stop sign": "stop signs",
    "parking meter": "parking meters", "bench": "benches", "bird": "birds", "cat": "cats", "dog": "dogs",
    "horse": "horses", "sheep": "sheep", "cow": "cows", "elephant": "elephants", "bear": "bears",
    "zebra": "zebras", "giraffe": "giraffes", "backpack": "backpacks", "umbrella": "umbrellas",
    "handbag": "handbags", "tie": "ties", "suitcase": "suitcases", "frisbee": "frisbees", "skis": "ski",
    "snowboard": "snowboards", "sports ball": "sports balls", "kite": "kites",
    "baseball bat": "baseball bats", "baseball glove": "baseball gloves", "skateboard": "skateboards",
    "surfboard": "surfboards", "tennis racket": "tennis rackets", "bottle": "bottles",
    "wine glass": "wine glasses", "cup": "cups", "fork": "forks", "knife": "knives", "spoon": "spoons",
    "bowl": "bowls", "banana": "bananas", "apple": "apples", "sandwich": "sandwiches", "orange": "oranges",
    "broccoli": "broccolis", "carrot": "carrots", "hot dog": "hot dogs", "pizza": "pizzas",
    "donut": "donuts", "cake": "cakes", "chair": "chairs", "couch": "couches",
    "potted plant": "potted plants", "bed": "beds", "dining table": "dining tables", "toilet": "toilets",
    "tv": "tvs", "laptop": "laptops", "mouse": "mice", "remote": "remotes", "keyboard": "keyboards",
    "cell phone": "cell phones", "microwave": "microwaves", "oven": "ovens", "toaster": "toasters",
    "sink": "sinks", "refrigerator": "refrigerators", "book": "books", "clock": "clocks", "vase": "vases",
    "scissors": "scissors", "teddy bear": "teddy bears", "hair drier": "hair driers",
    "toothbrush": "toothbrushes",
}  # fmt: skip
OTHERS = {
    "leaf": "leaves", "shelf": "shelves", "wolf": "wolves", "loaf": "loaves", "stove": "stoves",
    "glove": "gloves", "puppy": "puppies", "cookie": "cookies", "pie": "pies", "key": "keys",
    "potato": "potatoes", "photo": "photos", "shoe": "shoes", "box": "boxes", "dish": "dishes",
    "glass": "glasses", "dress": "dresses", "nose": "noses", "house": "houses", "lens": "lenses",
    "canvas": "canvases", "woman": "women", "policeman": "policemen", "child": "children",
    "grandchild": "grandchildren", "goose": "geese", "tooth": "teeth", "calf": "calves", "ox": "oxen",
    "octopus": "octopuses", "menu": "menus", "taxi": "taxis", "bee": "bees", "tree": "trees",
    "size": "sizes", "toe": "toes", "canoe": "canoes", "bookshelf": "bookshelves", "scarf": "scarves",
    "specimen": "specimens", "tomato": "tomatoes", "lady": "ladies", "bush": "bushes", "gas": "gases",
}  # fmt: skip


@pytest.mark.parametrize(("singular", "plural"), [*PLURALS.items(), *OTHERS.items()])
def test_a_noun_and_its_plural_have_one_stem(singular: str, plural: str) -> None:
    assert [stem(word) for word in singular.split()] == [stem(word) for word in plural.split()]


def test_all_of_cocos_nouns_are_among_those() -> None:
    assert tuple(PLURALS) == coco().kinds


def test_different_nouns_have_different_stems() -> None:
    nouns = {word for kind in (*PLURALS, *KINDS, *OTHERS) for word in kind.split()}
    assert [pair for pair in combinations(sorted(nouns), 2) if stem(pair[0]) == stem(pair[1])] == []


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_the_demo_world_have_plurals(kind: str) -> None:
    plural = {"knife": "knives", "fish": "fishes", "bus": "buses"}.get(kind, f"{kind}s")
    assert stem(kind) == stem(plural)


@pytest.mark.parametrize(
    ("noun", "word"),
    [
        ("plane", "plans"),
        ("car", "care"),
        ("man", "mane"),
        ("kite", "kits"),
        ("toe", "to"),
        ("cat", "catch"),
        ("leaf", "leave"),
        ("bus", "but"),
        ("cap", "capes"),
        ("tie", "tied"),
    ],
)
def test_a_noun_is_not_taken_for_a_word_that_resembles_it(noun: str, word: str) -> None:
    assert stem(noun) != stem(word)
