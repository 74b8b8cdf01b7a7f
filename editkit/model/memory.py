"""How much memory `apply` will need, told from shapes: an estimate, and what it is made of.

Counted are the weights; the keys and values of a batch of answers; the hidden states that the solver keeps of
every case, and what a step holds of the layers above the lowest edited one until its gradients are there.
Left out are the libraries themselves (about 1 GB), towers that read pictures while they do, and what a
device's allocator keeps for later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from torch import nn

from editkit.model.editable import Editable

FLOAT32: Final = 4
PACKED: Final = {"8bit": 1.0, "4bit": 0.5}
# Numbers a layer keeps for its gradients, in widths of the stream and of the FFN: the inputs of its norms
# and of its linear maps, queries, keys, values, gate and product.
KEPT_STREAM: Final = 12
KEPT_FFN: Final = 4


@dataclass(frozen=True)
class Load:
    """What a recipe asks of a model, as far as memory goes.

    Attributes:
        prompt: tokens of the longest prompt, pictures included; `answer` those of an answer.
        asked: answers given at once; `solved` cases of each sort in a step of the solver.
        sorts: sorts of cases in a step.
        cases: cases whose hidden states the solver keeps.
        lowest: the lowest layer that may be edited.
        packed: how the weights are packed, None where they are not.
    """

    prompt: int
    answer: int
    asked: int
    solved: int
    sorts: int
    cases: int
    lowest: int
    packed: str | None = None


@dataclass(frozen=True)
class Memory:
    """Bytes: the weights stay, answering and solving take turns."""

    weights: int
    answering: int
    solving: int

    @property
    def total(self) -> int:
        return self.weights + max(self.answering, self.solving)


def needed(editable: Editable, load: Load) -> Memory:
    """An estimate for one `apply`; works on the meta device as well."""
    model = editable.model
    width = model.dtype.itemsize
    stream, ffn = editable.d_model, max(place.shape[0] for place in editable.w_outs)
    experts = any(place.expert is not None for place in editable.w_outs)
    chosen = _chosen(editable.text_config) if experts else 1
    layer = (KEPT_STREAM * stream + KEPT_FFN * ffn * chosen) * width
    words = editable.n_logits * (width + 2 * FLOAT32)
    length = load.prompt + load.answer
    answering = load.asked * (
        length * _remembered(editable) * width + load.prompt * layer + (load.answer + 1) * words
    )
    recorded = load.cases * length * 2 * stream * width
    whole = load.solved * length * editable.n_logits * width
    above = len(editable.layers) - 1 - load.lowest
    step = load.solved * load.sorts * (above * length * layer + (load.answer + 1) * 2 * words)
    return Memory(_weights(model, load.packed), answering, recorded + max(whole, step))


def _weights(model: Any, packed: str | None) -> int:
    parts = (*model.parameters(), *model.buffers())
    whole: int = sum(part.numel() * part.element_size() for part in parts)
    if packed is None:
        return whole
    # Only linear maps are packed, and not the head: neither embeddings nor fused experts.
    head = model.get_output_embeddings()
    linear = sum(
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, nn.Linear) and module is not head
    )
    return whole - int(linear * (model.dtype.itemsize - PACKED[packed]))


def _remembered(editable: Editable) -> int:
    """Numbers that one token leaves behind for later ones: its keys and values in every layer."""
    config = editable.text_config
    heads = getattr(config, "num_attention_heads", None) or 1
    size = getattr(config, "head_dim", None) or editable.d_model // heads
    pairs = getattr(config, "num_key_value_heads", None) or heads
    return 2 * int(pairs * size) * len(editable.layers)


def _chosen(config: Any) -> int:
    """Experts that a token is sent to."""
    for name in ("num_experts_per_tok", "num_experts_per_token", "top_k_experts"):
        count = getattr(config, name, None)
        if count:
            return int(count)
    return 1
