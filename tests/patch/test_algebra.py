"""What holds for patches as one, byte for byte, on a real checkpoint of small tensors."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import PatchError, UsageError
from editkit.patch.algebra import RULES, inverted, merged
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from tests.patch.tensors import KEYS, Bases, Rows, content, drawn, dtypes, patch_of, split, written


@given(rows=split(3), dtype=dtypes)
def test_disjoint_patches_commute_in_bytes(bases: Bases, rows: tuple[Rows, ...], dtype: str) -> None:
    base = bases(dtype)
    patches = [patch_of(base, own, seed) for seed, own in enumerate(rows)]
    first, *others = [merged(order, checkpoint=base).digest for order in permutations(patches)]
    assert others == [first] * 5


@given(rows=split(4), dtype=dtypes, rule=st.sampled_from(RULES))
def test_brackets_do_not_show_in_the_bytes(
    bases: Bases, rows: tuple[Rows, ...], dtype: str, rule: str
) -> None:
    base = bases(dtype)
    a, b, c, d = (patch_of(base, own, seed) for seed, own in enumerate(rows))

    def m(*patches: Patch) -> Patch:
        return merged(patches, overlap=rule, checkpoint=base)  # type: ignore[arg-type]  # drawn

    flat = m(a, b, c, d).digest
    assert {m(m(a, b), m(c, d)).digest, m(m(m(a, b), c), d).digest, m(a, m(b, m(c, d))).digest} == {flat}


@given(
    rows=drawn(3, 3),
    rule=st.sampled_from(["first", "last"]),
)
def test_first_and_last_do_not_hang_on_brackets(bases: Bases, rows: list[Rows], rule: str) -> None:
    base = bases("BF16")
    a, b, c = (patch_of(base, own, seed) for seed, own in enumerate(rows))

    def m(*patches: Patch) -> Patch:
        return merged(patches, overlap=rule, checkpoint=base)  # type: ignore[arg-type]  # drawn

    assert m(m(a, b), c) == m(a, m(b, c)) == m(a, b, c)
    others = merged([c, b, a], overlap="last" if rule == "first" else "first", checkpoint=base)
    assert content(m(a, b, c)) == content(others)


@given(rows=split(2), dtype=dtypes)
def test_a_merge_does_what_its_parts_do(
    bases: Bases, rows: tuple[Rows, ...], dtype: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = bases(dtype)
    a, b = (patch_of(base, own, seed) for seed, own in enumerate(rows))
    whole = merged([a, b], checkpoint=base)
    verify(whole, base)
    edited = written(base, [a, b], tmp_path_factory.mktemp("edited"))
    assert content(whole) == content(patch_of(base, {**rows[0], **rows[1]}))
    for entry in whole.entries:
        assert edited.digest(entry.tensor) == entry.edited_digest
    back = written(edited, [inverted(whole)], tmp_path_factory.mktemp("back"))
    names = ("model.safetensors", "config.json")
    assert all((back.folder / n).read_bytes() == (base.folder / n).read_bytes() for n in names)


@given(
    rows=drawn(3, 99),
    dtype=dtypes,
)
def test_one_made_on_another(
    bases: Bases, rows: list[Rows], dtype: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A chain needs no base, whatever its neurons and brackets, and is told from its digests in any order."""
    base = state = bases(dtype)
    chain = []
    for seed, own in enumerate(rows):
        chain.append(patch_of(state, own, seed))
        state = written(state, chain[-1:], tmp_path_factory.mktemp("state"))
    a, b, c = chain
    whole = merged(chain)
    assert merged([merged([a, b]), c]) == merged([a, merged([b, c])]) == whole
    assert {merged(order).digest for order in permutations(chain)} == {whole.digest}
    verify(whole, base)
    for entry in whole.entries:
        assert state.digest(entry.tensor) == entry.edited_digest
    assert not merged([*chain, inverted(c), inverted(b), inverted(a)]).entries


@given(rows=split(1), dtype=dtypes, verdict=st.sampled_from([True, False, None]))
def test_inverses(bases: Bases, rows: tuple[Rows], dtype: str, verdict: bool | None) -> None:
    made = patch_of(
        bases(dtype), rows[0], 5, accepted=verdict, edits=("suppress x",), scores={"drift": {"after": 0.5}}
    )
    turned = inverted(made)
    assert inverted(turned) == made
    assert inverted(inverted(turned)) == turned
    assert not merged([made, turned]).entries
    assert not merged([turned, made]).entries
    assert turned.provenance.edits == ("undo suppress x",)
    assert (turned.provenance.accepted, turned.provenance.scores) == (None, {})
    assert {(e.base_digest, e.edited_digest) for e in turned.entries} == {
        (e.edited_digest, e.base_digest) for e in made.entries
    }


@given(rows=split(1), dtype=dtypes)
def test_what_changes_nothing_is_neutral(bases: Bases, rows: tuple[Rows], dtype: str) -> None:
    base = bases(dtype)
    made, empty, other = patch_of(base, rows[0], 3), patch_of(base, {}, 1), patch_of(base, {}, 2)
    neutral = made if made.entries else min((made, empty, other), key=lambda patch: patch.digest)
    for some in permutations((made, empty, other)):
        assert merged(some) == neutral
    assert merged([made, made, made]) == merged([made]) == made
    assert merged([empty, other]) == merged([other, empty])


def test_calls_that_ask_for_nothing(bases: Bases) -> None:
    with pytest.raises(UsageError):
        merged([])
    with pytest.raises(UsageError):
        merged([patch_of(bases("F32"), {})], overlap="most")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("id", "org/other", "the base is sha256:tiny and org/other"),
        ("revision", "main", "the base's revision is None and main"),
        ("config_digest", "f" * 64, "config.json"),
        ("dtype", "bfloat16", "dtype the base was loaded in is float32 and bfloat16"),
    ],
)
def test_bases_that_differ(bases: Bases, field: str, value: str, words: str) -> None:
    one = patch_of(bases("F32"), {KEYS[0]: 1})
    other = replace(one, base=replace(one.base, **{field: value}))
    with pytest.raises(PatchError, match=words):
        merged([one, other])


def test_what_the_base_is_needed_for(bases: Bases, tmp_path: Path) -> None:
    base = bases("F32")
    a, b = patch_of(base, {KEYS[0]: 1}, 1), patch_of(base, {KEYS[1]: 1}, 2)
    with pytest.raises(PatchError, match=r"tensor 'columns'.*name the base with --base"):
        merged([a, b])
    with pytest.raises(PatchError, match="base differs: tensor 'columns'"):
        merged([a, b], checkpoint=written(base, [a], tmp_path / "a"))
    with pytest.raises(PatchError, match="base differs: tensor 'columns'"):
        merged([a, b], checkpoint=bases("F16"))
