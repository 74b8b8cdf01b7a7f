"""What patches do to one tensor, one after another and side by side: digests tell which stands on which.

A patch leads a tensor from one state to another, both named by their SHA-256. Patches that start from the
same state stand beside each other; one that starts where another ends stands on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from editkit.checkpoint import Rows
from editkit.errors import PatchError
from editkit.neuron import in_order
from editkit.patch.format import Entry
from editkit.patch.overlap import Overlap, Part, beside

# Tensor, the digest it starts from, and rows written into it in this order -> its digest then.
Digest = Callable[[Entry, str, Sequence[Rows]], str]


@dataclass(frozen=True)
class Change:
    """What happens to one tensor.

    Attributes:
        sample: an entry that says which tensor it is.
        before, after: its digests.
        parts: expert (None where the tensor is no expert's) -> the rows that move.
    """

    sample: Entry
    before: str
    after: str
    parts: Mapping[int | None, Part]

    @property
    def fact(self) -> tuple[object, ...]:
        """What two changes of one tensor can't differ in."""
        one = self.sample
        own = one.expert if one.slab is None else None
        return (one.module, one.layer, own, one.orientation, one.shape, one.dtype)

    def rows(self) -> list[Rows]:
        return [entry.rows("edited") for entry in self.entries()]

    def entries(self) -> Iterator[Entry]:
        for expert in sorted(self.parts, key=lambda expert: in_order((0, expert))):
            yield replace(
                self.sample,
                expert=expert,
                base_digest=self.before,
                edited_digest=self.after,
                **vars(self.parts[expert]),
            )


def changes(entries: Iterable[Entry]) -> dict[str, Change]:
    """The changes of a patch, by tensor, without rows that stay as they were."""
    found: dict[str, Change] = {}
    for entry in entries:
        part = Part(entry.neurons, entry.original, entry.edited).moved
        if len(part.neurons):
            before = found.get(entry.tensor)
            parts = {**(before.parts if before else {}), entry.expert: part}
            found[entry.tensor] = Change(entry, entry.base_digest, entry.edited_digest, parts)
    return found


def composed(all_changes: Sequence[Change], overlap: Overlap, digest: Digest) -> Change:
    """The changes of one tensor as one; their order only counts where digests don't tell it.

    Raises:
        PatchError: they start from states that none of the others leads to, contradict each other, or
            change a neuron in different ways where `overlap` does not say which counts.
    """
    sample = all_changes[0].sample
    if len({change.fact for change in all_changes}) > 1:
        raise PatchError(f"the patches contradict each other about tensor {sample.tensor!r}")
    ends = {change.after for change in all_changes}
    starts = list(dict.fromkeys(change.before for change in all_changes))
    # With a patch and its inverse every state is led to: then the first one given is where it starts.
    for start in [state for state in starts if state not in ends] or starts[:1]:
        walk = _Walk(all_changes, overlap, digest, start)
        try:
            found = walk.on(start, [])
        except RecursionError as error:
            raise PatchError(
                f"tensor {sample.tensor!r}: too many patches at once: merge some first"
            ) from error
        if found is not None and not walk.waiting:
            return found
    raise PatchError(
        f"tensor {sample.tensor!r}: the patches were made on different states of it, and none of them leads "
        "from one to the other: make one on a checkpoint that has the other, or both on the same"
    )


class _Walk:
    """From one state of a tensor through all changes; each is used once."""

    def __init__(self, given: Sequence[Change], overlap: Overlap, digest: Digest, start: str) -> None:
        self.overlap, self.digest, self.start = overlap, digest, start
        self.waiting: dict[str, list[Change]] = {}
        for change in given:
            self.waiting.setdefault(change.before, []).append(change)

    def on(self, state: str, written: list[Rows]) -> Change | None:
        """All that happens from this state on, which `written` rows made of the first; None for nothing."""
        whole: Change | None = None
        while here := self.waiting.pop(state, []):
            # What was made on one of several alone belongs to that one.
            grown = [self._with_its_own(change, written) for change in here] if len(here) > 1 else here
            step = self._beside(grown, written)
            whole = step if whole is None else _stacked(whole, step)
            written, state = [*written, *step.rows()], step.after
        return whole

    def _with_its_own(self, change: Change, written: list[Rows]) -> Change:
        more = self.on(change.after, [*written, *change.rows()])
        return change if more is None else _stacked(change, more)

    def _beside(self, grown: list[Change], written: list[Rows]) -> Change:
        if len(grown) == 1:
            return grown[0]
        sample = grown[0].sample
        parts = {}
        for expert in {expert: None for change in grown for expert in change.parts}:
            name = f"L{sample.layer}." + ("" if expert is None else f"E{expert}.")
            of_it = [change.parts[expert] for change in grown if expert in change.parts]
            part = beside(of_it, sample.dtype, self.overlap, name).moved
            if len(part.neurons):
                parts[expert] = part
        for change in grown:
            if change.parts.keys() == parts.keys() and all(parts[e].same(change.parts[e]) for e in parts):
                return change
        whole = Change(sample, grown[0].before, "", parts)
        after = self.digest(sample, self.start, [*written, *whole.rows()])
        return replace(whole, after=after)


def _stacked(below: Change, above: Change) -> Change:
    """First the one, then the other; rows that come back to what they were drop out."""
    parts = dict(below.parts)
    for expert, part in above.parts.items():
        joined = _joined(parts[expert], part).moved if expert in parts else part
        parts[expert] = joined
    left = {expert: part for expert, part in parts.items() if len(part.neurons)}
    if bool(left) != (below.before != above.after):
        raise PatchError(f"the patches' digests of tensor {below.sample.tensor!r} contradict their rows")
    return Change(below.sample, below.before, above.after, left)


def _joined(below: Part, above: Part) -> Part:
    _, lower, upper = np.intersect1d(below.neurons, above.neurons, True, return_indices=True)
    if not np.array_equal(below.edited[lower], above.original[upper]):
        raise PatchError("a patch says it was made on another, and its rows before are not the other's after")
    neurons = np.concatenate([below.neurons, np.delete(above.neurons, upper)])
    original = np.concatenate([below.original, np.delete(above.original, upper, axis=0)])
    edited = np.concatenate([below.edited, np.delete(above.edited, upper, axis=0)])
    edited[lower] = above.edited[upper]
    order = np.argsort(neurons)
    return Part(neurons[order], original[order], edited[order])
