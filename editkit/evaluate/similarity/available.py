"""A recipe -> the similarities that can be had, and why the others can't."""

from __future__ import annotations

from typing import Final

from editkit.errors import InputError
from editkit.evaluate.similarity import SIMILARITIES
from editkit.evaluate.similarity.bleurt import open_judge
from editkit.evaluate.similarity.encoder import open_encoder
from editkit.evaluate.similarity.measure import Similarity, Unavailable
from editkit.methods import load
from editkit.recipe import ModelRef, Recipe
from editkit.recipe.evaluation import ENCODERS

MISSING: Final = {
    "encoder": "no encoder named: set evaluate.encoder to a BERT-like model, a folder or a Hub name",
    "bleurt": "no model named: set evaluate.bleurt to a regression checkpoint, a folder or a Hub name",
}


def similarities(recipe: Recipe) -> tuple[Similarity | Unavailable, ...]:
    """Every line of `SIMILARITIES`, in its order: ready to be called, or unavailable with the reason.

    Raises:
        ModelError: a model that the recipe names is not there or can't be used.
    """
    named, judge = recipe.evaluate.encoder, recipe.evaluate.bleurt
    encoder = judged = None
    if named is not None:
        encoder = open_encoder(recipe.reader_ref(named.model), named.layer)
    elif recipe.model.id in ENCODERS:
        encoder = open_encoder(ModelRef(id=ENCODERS[recipe.model.id]))
    if judge is not None:
        judged = open_judge(recipe.reader_ref(judge))
    opened = {"encoder": encoder, "bleurt": judged}
    found: list[Similarity | Unavailable] = []
    for name in SIMILARITIES:
        kind = load(SIMILARITIES, name, "evaluate")
        there = opened[kind.asks]
        found.append(Unavailable(name, f"{name}: {MISSING[kind.asks]}") if there is None else kind(there))
    return tuple(found)


def similarity(recipe: Recipe, name: str) -> Similarity:
    """The one of that name.

    Raises:
        RecipeError: there is none of that name.
        InputError: nobody named its model.
        ModelError: its model is not there or can't be used.
    """
    load(SIMILARITIES, name, "evaluate")
    found = next(one for one in similarities(recipe) if one.name == name)
    if isinstance(found, Unavailable):
        raise InputError(found.reason)
    return found
