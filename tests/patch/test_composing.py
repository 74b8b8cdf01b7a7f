"""One tensor, and what several patches do to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from editkit.errors import PatchError
from editkit.patch.algebra import inverted, merged
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
