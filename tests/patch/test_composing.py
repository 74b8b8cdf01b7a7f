"""One tensor, and what several patches do to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import PatchError
from editkit.patch.algebra import RULES, inverted, merged
from tests.patch.tensors import KEYS, Bases, content, patch_of, written


def test_what_is_beside_and_on_each_other_at_once(bases: Bases, tmp_path: Path) -> None:
    base = bases("F32")
    at = (0, None)
    a, b = patch_of(base, {(at, 0): 1, (at, 1): 2}, 1), patch_of(base, {(at, 2): 3}, 2)
    on_a = written(base, [a], tmp_path / "a")
    c, d = patch_of(on_a, {(at, 1): 4}, 3), patch_of(on_a, {(at, 3): 5}, 4)
    both = written(base, [a, b], tmp_path / "ab")
    e = patch_of(both, {(at, 0): 6, (at, 2): 7}, 5)
    whole = merged([c, b, d, a], checkpoint=base)
    edited = written(base, [a, c, d, b], tmp_path / "all")
    assert edited.digest("columns") == whole.entries[0].edited_digest
    together = merged([b, a], checkpoint=base)
    assert content(merged([e, a, b], checkpoint=base)) == content(merged([together, e]))
    with pytest.raises(PatchError, match="tensor 'columns': the patches were made on different states"):
        merged([c, b], checkpoint=base)


def test_many_at_once(bases: Bases) -> None:
    base = bases("F32")
    patches = [patch_of(base, {key: 3}, seed) for seed, key in enumerate(KEYS)]
    assert content(merged(patches, checkpoint=base)) == content(patch_of(base, dict.fromkeys(KEYS, 3)))


def test_a_long_chain(bases: Bases) -> None:
    """As many as a process could not nest."""
    (entry,) = patch_of(bases("F32"), {KEYS[0]: 1}).entries
    states = [f"{number:064x}" for number in range(3000)]
    base = patch_of(bases("F32"), {})
    rows = [entry.original + np.uint32(number) for number in range(3000)]
    chain = [
        replace(
            base,
            entries=(replace(entry, base_digest=b, edited_digest=a, original=rows[n], edited=rows[n + 1]),),
        )
        for n, (b, a) in enumerate(pairwise(states))
    ]
    (whole,) = merged(chain).entries
    assert (whole.base_digest, whole.edited_digest) == (states[0], states[-1])
    assert np.array_equal(whole.edited, rows[-1])


def test_patches_that_contradict_each_other(bases: Bases) -> None:
    base = bases("F32")
    a, b = patch_of(base, {KEYS[0]: 1, KEYS[1]: 1}, 1), patch_of(base, {KEYS[1]: 1, KEYS[2]: 1}, 2)
    (entry,) = b.entries
    lying = [
        replace(entry, original=entry.original + np.uint32(1)),
        replace(entry, module="elsewhere"),
        replace(entry, base_digest=a.entries[0].edited_digest, original=entry.original + np.uint32(1)),
        replace(entry, base_digest="1" * 64, edited_digest=a.entries[0].base_digest),
    ]
    for one in lying:
        with pytest.raises(PatchError):
            merged([a, replace(b, entries=(one,))], checkpoint=base)
    back = replace(inverted(a).entries[0], edited_digest="2" * 64)
    with pytest.raises(PatchError, match="contradict their rows"):
        merged([a, replace(a, entries=(back,))])


DIGESTS = [f"{number:064x}" for number in range(4)]


@given(
    told=st.lists(
        st.tuples(
            st.sampled_from(DIGESTS),
            st.sampled_from(DIGESTS),
            st.dictionaries(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1),
        ),
        min_size=1,
        max_size=6,
    ),
    rule=st.sampled_from(RULES),
)
def test_whatever_patches_say_is_merged_or_refused(bases: Bases, told: list[Any], rule: Any) -> None:
    """Digests and rows that no honest patch has, in every combination: a patch, or a sentence."""
    base = bases("F32")
    (sample,) = patch_of(base, {KEYS[0]: 1}).entries
    patches = []
    for before, after, rows in told:
        neurons = sorted(rows)
        original, edited = (np.array([[rows[n][at]] * 3 for n in neurons], np.uint32) for at in (0, 1))
        own = replace(sample, base_digest=before, edited_digest=after, neurons=np.array(neurons))
        patches.append(replace(patch_of(base, {}), entries=(replace(own, original=original, edited=edited),)))
    try:
        whole = merged(patches, overlap=rule)
    except PatchError:
        return
    assert merged([whole], overlap=rule) == whole
    assert len(whole.digest) == 64


def test_deeper_than_a_process_can_nest(bases: Bases) -> None:
    """Each but the last stands on one of two that stand beside each other."""
    (entry,) = patch_of(bases("F32"), {KEYS[0]: 1}).entries
    base, patches = patch_of(bases("F32"), {}), []
    for number in range(2000):
        for after in (number + 1, 10_000 + number):
            own = replace(entry, base_digest=f"{number:064x}", edited_digest=f"{after:064x}")
            patches.append(replace(base, entries=(own,)))
    with pytest.raises(PatchError, match="merge some first"):
        merged(patches)
