"""Teacher forcing: what a model would have said next at every position of a given continuation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import torch
from torch import Tensor

from editkit.model.editable import Editable
from editkit.model.feed import Fed, batches, feed
from editkit.plan import Question

MOST_LOGITS: Final = 2**26  # at once, in float32: 256 MB


@lru_cache(maxsize=64)
def _parameters(kind: type) -> frozenset[str]:
    return frozenset(inspect.signature(kind.forward).parameters)  # type: ignore[attr-defined]  # any nn.Module


def call_inputs(editable: Editable, fed: Fed) -> dict[str, Any]:
    """What forward takes for a fed batch: no cache, and positions that do not count the padding."""
    known = _parameters(editable.model.__class__)
    inputs: dict[str, Any] = dict(fed.inputs)
    mask = inputs.get("attention_mask")
    # Models with positions in several dimensions make their own, from the mask.
    plain = "position_ids" in known and not editable.encoder_decoder and not _own_positions(editable.model)
    if plain and mask is not None and not bool(mask[:, : fed.n_prompt].all()):
        inputs["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    if known & {"use_cache", "kwargs"}:
        inputs["use_cache"] = False
    return inputs


def _own_positions(model: Any) -> bool:
    return hasattr(model, "get_rope_index") or hasattr(getattr(model, "model", None), "get_rope_index")


@dataclass(frozen=True)
class Asked:
    """Where a batch asks what comes next: `rows` and `columns` of `[n, n_tokens]`, one entry a position.

    A continuation of n tokens has n + 1 of them: before each token, and after the last.
    """

    rows: Tensor
    columns: Tensor
    lengths: tuple[int, ...]


def asked(fed: Fed, device: torch.device) -> Asked:
    lengths = tuple(length + 1 for length in fed.lengths)
    rows = torch.cat([torch.full((length,), row) for row, length in enumerate(lengths)])
    columns = torch.cat([torch.arange(length) + fed.n_prompt - 1 for length in lengths])
    return Asked(rows.to(device), columns.to(device), lengths)


@torch.no_grad()
def log_probabilities(
    editable: Editable, questions: Sequence[Question], said: Sequence[Sequence[int]], batch_size: int = 32
) -> list[Tensor]:
    """Log-probabilities at every position of each continuation, float32 `[n_said + 1, d_vocab]`."""
    found: list[Tensor | None] = [None] * len(questions)
    for places in batches(questions, batch_size):
        fed = feed(editable, [questions[place] for place in places], [said[place] for place in places])
        inputs = call_inputs(editable, fed)
        if "logits_to_keep" in _parameters(editable.model.__class__):
            inputs["logits_to_keep"] = max(fed.lengths) + 1
        logits = editable.model(**inputs).logits[:, -(max(fed.lengths) + 1) :]
        for row, place in enumerate(places):
            found[place] = logits[row, : fed.lengths[row] + 1].float().log_softmax(-1)
    return [part for part in found if part is not None]


def surprises(
    editable: Editable,
    questions: Sequence[Question],
    said: Sequence[Sequence[int]],
    advance: Callable[[int], Any] = lambda steps: None,
) -> list[tuple[float, ...]]:
    """-log p of each token of each continuation, nats.

    Args:
        advance: told how many continuations are done.

    Raises:
        InputError: see `feed`.
    """
    found: list[tuple[float, ...]] = [()] * len(questions)
    longest = max(map(len, said), default=0) + 1
    vocabulary = int(editable.text_config.vocab_size)
    size = max(1, min(32, MOST_LOGITS // (longest * vocabulary)))
    for places in batches(questions, size):
        some = [said[place] for place in places]
        likely = log_probabilities(editable, [questions[place] for place in places], some, size)
        for place, own, tokens in zip(places, likely, some, strict=True):
            chosen = torch.tensor(tokens, dtype=torch.int64, device=own.device)[:, None]
            found[place] = tuple((-own[:-1].gather(1, chosen)[:, 0]).tolist())
        advance(len(places))
    return found
