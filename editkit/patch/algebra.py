"""Patches as one: several merged, and one turned round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Final, get_args

from editkit.checkpoint import Checkpoint, Rows
from editkit.errors import PatchError, UsageError
from editkit.patch.composing import Change, changes, composed
from editkit.patch.file import Patch
from editkit.patch.format import Base, Entry
from editkit.patch.lineage import inverted_provenance, leaves, merged_provenance
from editkit.patch.overlap import Overlap

RULES: Final = get_args(Overlap)


def merged(
    patches: Iterable[Patch], *, overlap: Overlap = "refuse", checkpoint: Checkpoint | None = None
) -> Patch:
    """Several patches as one that does what they do together.

    Patches made on the same tensor stand beside each other. One made on a tensor that already had another
    stands on it, whatever the order they are given in: then the result leads from the lower one's original
    rows to the upper one's edited ones, and rows that come back to what they were drop out.

    On disjoint neurons the order and the brackets don't show in the bytes of the result. A patch merged with
    itself, or with one that changes nothing, is that patch. Where two made on the same tensor change one
    neuron in different ways, `overlap` decides:

    - `refuse`: nobody said what is meant.
    - `first`, `last`: the row of the first or last patch given that has the neuron. The order counts then,
      the brackets don't.
    - `sum`: the original row and all their changes to it, in float64, rounded once; rows that are equal are
      one change. The order does not count; the brackets do, as each bracket rounds.

    Args:
        checkpoint: the base; needed where two patches change other rows of one tensor, whose digest
            afterwards only its bytes can tell.

    Raises:
        PatchError: the patches are for different models or states of one, change a neuron in different ways,
            or the base is needed.
        UsageError: no patch at all, or no such rule.
    """
    given = tuple(patches)
    if not given or overlap not in RULES:
        raise UsageError(f"give at least one patch, and one of {', '.join(RULES)} where they overlap")
    for other in given[1:]:
        _same_base(given[0].base, other.base)
    made_of = {digest for patch in given for digest in leaves(patch)}
    if len(made_of) < 2:
        # One patch, often enough: or several of which only one does anything.
        return min(given, key=lambda patch: (patch.digest not in made_of, patch.digest))
    by_tensor: dict[str, list[Change]] = {}
    for patch in given:
        for tensor, change in changes(patch.entries).items():
            by_tensor.setdefault(tensor, []).append(change)
    known = _Digests(checkpoint)
    wholes = [composed(some, overlap, known.after) for some in by_tensor.values()]
    entries = sorted((e for whole in wholes for e in whole.entries()), key=lambda entry: entry.rank)
    return Patch(given[0].base, tuple(entries), merged_provenance(given))


def inverted(patch: Patch) -> Patch:
    """The patch that takes this one back: made on the edited checkpoint, it leads to the base.

    Inverting twice gives the same bytes. Merged after the patch it leaves nothing to change.
    """
    entries = (
        replace(
            entry,
            original=entry.edited,
            edited=entry.original,
            base_digest=entry.edited_digest,
            edited_digest=entry.base_digest,
        )
        for entry in patch.entries
    )
    return Patch(patch.base, tuple(entries), inverted_provenance(patch.provenance))


def _same_base(one: Base, other: Base) -> None:
    for field, name in (
        ("id", "base"),
        ("revision", "base's revision"),
        ("config_digest", "config.json"),
        ("dtype", "dtype the base was loaded in"),
    ):
        first, second = getattr(one, field), getattr(other, field)
        if first != second:
            raise PatchError(f"the patches are for different models: the {name} is {first} and {second}")


class _Digests:
    """Digests of edited tensors, from the bytes of the base."""

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self.checkpoint = checkpoint
        self.now = cache(checkpoint.digest) if checkpoint is not None else None

    def after(self, site: Entry, before: str, rows: Sequence[Rows]) -> str:
        where = f"tensor {site.tensor!r}"
        if self.checkpoint is None or self.now is None:
            raise PatchError(
                f"{where}: two patches change other rows of it, and its digest afterwards needs the base's "
                "bytes: name the base with --base"
            )
        info = self.checkpoint.tensors.get(site.tensor)
        fits = info is not None and (info.dtype, info.shape) == (site.dtype, site.shape)
        if not fits or self.now(site.tensor) != before:
            raise PatchError(
                f"base differs: {where} of {self.checkpoint.folder} is not the one the patches were made on"
            )
        return self.checkpoint.digest_with_rows(site.tensor, *rows)
