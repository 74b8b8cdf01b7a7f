"""A model that finds the parts of every picture in each other's places."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.feed import Fed, overhearing
from editkit.model.sight import beside, picture_places

# How many tokens a picture has -> which of them comes into each place, a permutation, int64 `[n]`.
Order = Callable[[int], Tensor]
# Batches of which it is remembered where their pictures are.
REMEMBERED: Final = 64


def seeded(seed: int) -> Order:
    """Random permutations: pictures with equally many tokens are permuted alike, in whatever batch."""

    def order(count: int) -> Tensor:
        return torch.randperm(count, generator=torch.Generator().manual_seed(seed))

    return order


@contextmanager
def shuffled(editable: Editable, order: Order) -> Iterator[None]:
    """Permute the tokens of each picture among themselves where the language model begins to read.

    What the tokens say moves, positions do not: it is done before positions are added, and what a picture
    adds to later layers (Qwen3-VL) moves along. Holds for every batch that `feed` makes inside the block,
    taught or answered, with and without a cache. Tokens go on within their own picture (ours; Pan et al. 2024
    shuffle the image tokens of inputs with one picture), marks between a picture's parts stay.

    Raises:
        ModelError: the model sees no pictures, or not in its sequence; nobody knows where they are in it, or
            the part that reads it takes no embeddings; or a batch was fed outside of the block.
    """
    reader = _reader(editable)
    state = _State(editable, order)
    with ExitStack() as hooks:
        hooks.enter_context(overhearing(state.fed))
        model = editable.model
        hooks.callback(model.register_forward_pre_hook(state.called, with_kwargs=True).remove)
        hooks.callback(model.register_forward_hook(state.returned).remove)
        hooks.callback(reader.register_forward_pre_hook(state.read, with_kwargs=True).remove)
        yield


def _reader(editable: Editable) -> nn.Module:
    """What is called with the embedded sequence: the owner of the decoder layers, or of the encoder's."""
    if not editable.accepts_images:
        raise ModelError(f"{editable.name} sees no pictures, so there are no tokens of them to shuffle")
    if beside(editable):
        raise ModelError(
            f"{editable.name} sees pictures through cross-attention, not in its sequence: there are no "
            "tokens to shuffle"
        )
    path = editable.layout.name.rpartition(".")[0]
    found: nn.Module = editable.model.get_submodule(path)
    if editable.encoder_decoder:
        found = editable.model.get_submodule(path.rpartition(".")[0]).get_encoder()
    if "inputs_embeds" not in inspect.signature(type(found).forward).parameters:
        raise ModelError(
            f"{editable.name}: {type(found).__name__} takes no embeddings, so a picture's tokens can't be "
            "shuffled before their positions are added"
        )
    return found


@dataclass(frozen=True)
class _Batch:
    """A fed batch: its tokens, and which column comes into each, both `[n, n_tokens]`."""

    ids: Tensor
    columns: Tensor

    def begins(self, ids: Tensor) -> bool:
        """Whether a call's tokens are this batch's, or go on from them."""
        n, n_tokens = self.ids.shape
        return len(ids) == n and ids.shape[1] >= n_tokens and torch.equal(ids[:, :n_tokens], self.ids)


@dataclass
class _State:
    """What was fed, and what of it the model is reading now."""

    editable: Editable
    order: Order
    batches: deque[_Batch] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    now: _Batch | None = None
    waiting: bool = False

    def fed(self, fed: Fed) -> None:
        ids = fed.inputs["input_ids"]
        columns = torch.arange(ids.shape[1]).repeat(len(ids), 1)
        for row, places in zip(columns, picture_places(self.editable, fed), strict=True):
            for place in places:
                row[place.columns] = place.columns[self.order(len(place.columns))]
        # BLIP-2 answers without being called itself: then the batch fed last is the one.
        self.now = _Batch(ids, columns.to(ids.device))
        self.batches.append(self.now)

    def called(self, module: nn.Module, arguments: Any, named: Any) -> None:
        ids = named.get("input_ids", arguments[0] if arguments else None)
        if ids is None:
            return
        self.now = next((batch for batch in reversed(self.batches) if batch.begins(ids)), None)
        self.waiting = self.now is not None
        if self.now is None and bool((ids == self.editable.picture_token).any()):
            raise ModelError("a batch fed before its pictures were to be shuffled: feed it in the same block")

    def returned(self, module: nn.Module, arguments: Any, output: Any) -> None:
        if self.waiting:
            raise ModelError(f"{self.editable.name} reads no embeddings, so its pictures can't be shuffled")

    def read(self, module: nn.Module, arguments: Any, named: Any) -> Any:
        embedded = named.get("inputs_embeds", arguments[0] if arguments else None)
        if self.now is None or embedded is None or not embedded.is_floating_point():
            return None
        columns = _lengthened(self.now.columns.to(embedded.device), embedded)
        if columns is None:
            return None
        self.waiting = False
        moved = torch.take_along_dim(embedded, columns[..., None], dim=1)
        if "inputs_embeds" not in named:
            return (moved, *arguments[1:]), named
        return arguments, {**named, "inputs_embeds": moved, **_later(named, columns)}


def _lengthened(columns: Tensor, embedded: Tensor) -> Tensor | None:
    """The same for a sequence that has been gone on with; None where this is only what comes after."""
    n, n_tokens = embedded.shape[:2]
    if len(columns) != n or columns.shape[1] > n_tokens:
        return None
    more = torch.arange(columns.shape[1], n_tokens, device=columns.device)
    return torch.cat([columns, more.repeat(n, 1)], dim=1)


def _later(named: Any, columns: Tensor) -> dict[str, Any]:
    """What is added to picture tokens in later layers: one row for each true place of a mask, in order."""
    added = named.get("deepstack_visual_embeds")
    if added is None:
        return {}
    seen = named["visual_pos_masks"].to(columns.device)
    n, n_tokens = columns.shape
    comes = (columns + n_tokens * torch.arange(n, device=columns.device)[:, None])[seen]
    ranks = (seen.flatten().cumsum(0) - 1)[comes]
    return {"deepstack_visual_embeds": [rows[ranks.to(rows.device)] for rows in added]}
