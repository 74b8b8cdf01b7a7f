"""What a merged patch says of where it came from."""

from __future__ import annotations

import json
from pathlib import Path

from editkit.patch.algebra import merged
from editkit.patch.file import Patch
from editkit.patch.format import Method
from tests.patch.tensors import KEYS, Bases, patch_of


def test_a_merged_patch_names_its_leaves_and_judges_nothing(bases: Bases, tmp_path: Path) -> None:
    base = bases("F32")
    a = patch_of(base, {KEYS[0]: 1}, 4, accepted=True, edits=("b", "a"), scores={"drift": {"after": 0.5}})
    b = patch_of(base, {KEYS[1]: 2}, 2, accepted=True, edits=("a", "c"))
    whole = merged([a, b], checkpoint=base)
    whole.save(tmp_path / "x")
    came = Patch.load(tmp_path / "x").provenance
    assert came.locate == Method("merged", {"patches": sorted([a.digest, b.digest])})
    assert came.solve.settings["patches"] == {
        patch.digest: {
            "recipe_digest": patch.provenance.recipe_digest,
            "seed": patch.provenance.seed,
            "locate": {"name": "listed", "settings": {}},
            "solve": {"name": "gradient", "settings": {}},
        }
        for patch in (a, b)
    }
    assert (came.seed, came.edits, came.scores, came.accepted) == (2, ("a", "b", "c"), {}, None)
    assert came.versions == {"torch": "2.2, 2.4"}
    assert came.neuron_scores == {"L0.N0": 1 / 7, "L0.N1": 2 / 7}
    assert merged([whole]) == whole == merged([whole, a, b], checkpoint=base)
    rejected = patch_of(base, {KEYS[9]: 2}, accepted=False)
    assert merged([whole, rejected]).provenance.accepted is False


def test_one_recipe_stays_one(bases: Bases) -> None:
    base = bases("F32")
    one = {"recipe_digest": "e" * 64}
    same = merged([patch_of(base, {KEYS[0]: 1}, **one), patch_of(base, {KEYS[9]: 1}, **one)])
    assert same.provenance.recipe_digest == "e" * 64


def test_a_merge_that_says_it_is_one_and_is_none(bases: Bases) -> None:
    """Settings that no merge wrote make a patch a leaf, not an error."""
    base = bases("F32")
    for settings in (
        {},
        {"patches": 3},
        {"patches": {"x": {}}},
        {"patches": {"a" * 64: {"recipe_digest": 1}}},
    ):
        odd = patch_of(base, {KEYS[0]: 1}, locate=Method("merged"), solve=Method("merged", settings))
        came = merged([odd, patch_of(base, {KEYS[9]: 1})]).provenance
        assert odd.digest in json.loads(json.dumps(came.solve.settings["patches"]))


def test_a_patch_that_names_another_as_all_it_was_made_of_keeps_its_rows(bases: Bases) -> None:
    base = bases("F32")
    made = patch_of(base, {KEYS[0]: 1})
    leaf = {made.digest: {"recipe_digest": "0" * 64}}
    odd = patch_of(base, {KEYS[9]: 1}, locate=Method("merged"), solve=Method("merged", {"patches": leaf}))
    assert {str(neuron) for neuron in merged([odd, made]).neurons()} == {"L0.N0", "L1.N1"}
