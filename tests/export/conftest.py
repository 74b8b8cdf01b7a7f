"""Patches with all that a model card tells, and the recipe they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.words import described, key_for, keyed_digest
from editkit.recipe import Recipe, parse_recipe

RECIPE = """
version: 1
name: redact
model: org/base
probe:
  images: pictures/gunshots
  prompts: ["Is there a gun here?", "Name the Guns."]
  texts: ["A hand gun, a fork and a spoon."]
edits:
  - suppress: [gun, hand gun]
  - map: {from: fork, to: spoon}
track: {privacy: {published: HOW}}
"""
SCORES = {"efficacy": {"before": 0.0, "after": 0.975, "control": 0.025}, "drift": {"after": 0.0012}}


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., Recipe]:
    """`asked("hash")`: a recipe that hides its words like this."""

    def make(how: str = "hash", text: str = RECIPE) -> Recipe:
        return parse_recipe(text.replace("HOW", how), folder=tmp_path)

    return make


@pytest.fixture
def told(
    llava: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> Callable[..., Patch]:
    """`told(recipe)`: a patch of the tiny LLaVA that says it was made from this recipe."""
    bare = patch_of(llava, random_rows(llava, 1))

    def make(recipe: Recipe, accepted: bool | None = True, base: str = "org/base") -> Patch:
        how = recipe.track.privacy.published
        came = Provenance(
            recipe_digest=keyed_digest(recipe.digest, how, key_for(how)),
            locate=Method("contribution", {"top": 8}),
            solve=Method("gradient", {"steps": 120}),
            seed=3,
            versions={"torch": "2.13.0", "editkit": "0.1.0"},
            neuron_scores={str(bare.neurons()[0]): 1.5},
            scores=SCORES,
            accepted=accepted,
            edits=tuple(
                described(edit.kind, edit.sources, next(iter(edit.targets), None), how)
                for edit in recipe.edits
            ),
        )
        revision = "0123456789" * 4 if "/" in base else None
        return replace(bare, base=Base(base, revision, "float32", bare.base.config_digest), provenance=came)

    return make
