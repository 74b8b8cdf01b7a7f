"""A patch that contradicts the format can't be made, in memory as little as from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from editkit.errors import PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Entry

BAD_ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "low_rank"}, "unknown kind"),
    ({"orientation": "diagonal"}, "unknown kind or orientation"),
    ({"module": ""}, "not named"),
    ({"tensor": ""}, "not named"),
    ({"layer": -1}, "not named"),
    ({"shape": (3, 8, 1)}, "not that of a matrix"),
    ({"shape": (3, 0)}, "not that of a matrix"),
    ({"shape": (8,)}, "not that of a matrix"),
    ({"expert": 0, "shape": (8,)}, "not that of a matrix"),
    ({"expert": -1}, "no such expert"),
    ({"expert": 2, "shape": (2, 3, 8)}, "no such expert"),
    ({"expert": -1, "shape": (2, 3, 8)}, "no such expert"),
    ({"base_digest": "C" * 64}, "no SHA-256"),
    ({"edited_digest": "d" * 63}, "no SHA-256"),
    ({"edited_digest": "d" * 64 + "\n"}, "no SHA-256"),
    ({"dtype": "F8_E4M3"}, "can't be patched"),
    ({"dtype": "F32"}, r"not F32 \[2, 3\]"),
    ({"neurons": np.array([1, 4], np.int32)}, "no list of int64"),
    ({"neurons": np.array([[1, 4]])}, "no list of int64"),
    ({"neurons": np.array([], np.int64)}, "no list of int64"),
    ({"neurons": np.array([4, 1])}, "ascending, unique and below 8"),
    ({"neurons": np.array([4, 4])}, "ascending, unique"),
    ({"neurons": np.array([1, 8])}, "below 8"),
    ({"neurons": np.array([-1, 4])}, "ascending"),
    ({"neurons": np.array([1])}, r"not BF16 \[1, 3\]"),
    ({"orientation": "rows"}, "below 3"),
    ({"original": np.full((2, 3), 0x7F80, np.uint16)}, "NaN or infinity"),
    ({"edited": np.full((2, 3), 0xFFC1, np.uint16)}, "NaN or infinity"),
    ({"edited": np.zeros((2, 2), np.uint16)}, "its rows are not"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_ENTRIES)
def test_a_wrong_entry_is_refused(
    patch: Patch, make_entry: Callable[..., Entry], change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PatchError, match=reason):
        replace(patch, entries=(replace(make_entry(), **change),))


@pytest.mark.parametrize(
    "name", ["/models/mine", "~/mine", "./mine", "../mine", "C:\\mine", "", "\\\\host\\mine"]
)
def test_a_base_named_by_a_path_is_refused(patch: Patch, name: str) -> None:
    with pytest.raises(PatchError, match="named by a path"):
        replace(patch, base=replace(patch.base, id=name))


@pytest.mark.parametrize("name", ["L1.N02", "L1", "l1.n2", "L1.N2 ", "L\u0661.N2", "L1.N" + "9" * 5000])
def test_a_score_of_no_neuron_is_refused(patch: Patch, name: str) -> None:
    with pytest.raises(PatchError, match="no neuron"):
        replace(patch, provenance=replace(patch.provenance, neuron_scores={name: 1.0}))


def test_digests_of_config_and_recipe_are_checked(patch: Patch) -> None:
    with pytest.raises(PatchError, match="digest of the config"):
        replace(patch, base=replace(patch.base, config_digest="short"))
    with pytest.raises(PatchError, match="or of the recipe"):
        replace(patch, provenance=replace(patch.provenance, recipe_digest=""))


def test_entries_stand_in_order_and_once(patch: Patch) -> None:
    first, second, third = patch.entries
    with pytest.raises(PatchError, match="order of layer"):
        replace(patch, entries=(second, first, third))
    with pytest.raises(PatchError, match="order of layer"):
        replace(patch, entries=(first, first))


def test_entries_of_one_tensor_agree_on_it(patch: Patch) -> None:
    expert = patch.entries[2]
    replace(patch, entries=(expert, replace(expert, expert=4)))
    for change in (
        {"shape": (6, 3, 8)},
        {"edited_digest": "e" * 64},
        {"base_digest": "e" * 64},
        {"layer": 9},
    ):
        with pytest.raises(PatchError, match="contradict"):
            replace(patch, entries=(expert, replace(expert, expert=4, **change)))


def test_a_patch_may_change_nothing(patch: Patch) -> None:
    assert replace(patch, entries=()).neurons() == ()
