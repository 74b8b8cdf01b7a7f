"""A model whose W_out rows can be found, read and changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from editkit.errors import ModelError, UsageError
from editkit.model.layouts import decoder_layers, neurons_are_rows, w_out_path
from editkit.neuron import Neuron


@dataclass(frozen=True)
class WOut:
    """One layer's W_out: the module, its runtime name, and whether its weight stores neurons as rows."""

    layer: int
    name: str
    module: nn.Module
    as_rows: bool

    @property
    def rows(self) -> Tensor:
        """The weight neuron-major, `[d_mlp, d_model]`: a view, whatever the storage."""
        weight: Tensor = self.module.get_parameter("weight")
        return weight if self.as_rows else weight.T


@dataclass(frozen=True)
class Editable:
    """A loaded checkpoint with its processor.

    Attributes:
        model: the transformers model, in evaluation mode.
        processor: the processor, or the tokenizer of a text-only model.
        folder: the checkpoint's files.
        name: what the recipe called it; `revision` the commit it was resolved to, None for local files.
    """

    model: Any
    processor: Any
    folder: Path
    name: str
    revision: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def tokenizer(self) -> Any:
        return getattr(self.processor, "tokenizer", self.processor)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @cached_property
    def layers(self) -> tuple[nn.Module, ...]:
        return tuple(decoder_layers(self.model)[1])

    @cached_property
    def w_outs(self) -> tuple[WOut, ...]:
        name, layers = decoder_layers(self.model)
        found = []
        for number, layer in enumerate(layers):
            path = w_out_path(layer)
            module = layer.get_submodule(path or "")
            found.append(WOut(number, f"{name}.{number}.{path}", module, neurons_are_rows(module)))
        return tuple(found)

    @cached_property
    def unembedding(self) -> Tensor:
        """Token directions, `[d_vocab, d_model]`.

        Raises:
            ModelError: the model has no output embeddings.
        """
        head = self.model.get_output_embeddings()
        if head is None:
            raise ModelError(f"{self.name}: the model has no output embeddings, so it says no words")
        weight: Tensor = head.weight
        return weight

    @property
    def accepts_images(self) -> bool:
        return getattr(self.processor, "image_processor", None) is not None

    @property
    def has_chat_template(self) -> bool:
        return getattr(self.processor, "chat_template", None) is not None

    @cached_property
    def context_length(self) -> int | None:
        text = self.model.config.get_text_config()
        length: int | None = getattr(text, "max_position_embeddings", None)
        return length

    def w_out(self, layer: int) -> WOut:
        """That layer's W_out.

        Raises:
            UsageError: the model has no such layer.
        """
        if not 0 <= layer < len(self.w_outs):
            raise UsageError(f"{self.name} has layers 0 to {len(self.w_outs) - 1}, not {layer}")
        return self.w_outs[layer]

    def check(self, neuron: Neuron) -> None:
        """Raises:
        UsageError: the model has no such neuron.
        """
        width = self.w_out(neuron.layer).rows.shape[0]
        if neuron.expert is not None or neuron.index >= width:
            raise UsageError(
                f"{self.name} has no {neuron}: layer {neuron.layer} has neurons 0 to {width - 1}"
            )

    def row_norms(self, layer: int) -> Tensor:
        """Norms of a layer's W_out rows, float32 `[d_mlp]`."""
        norms: Tensor = self.w_out(layer).rows.detach().float().norm(dim=1)
        return norms

    def decoded(self, neuron: Neuron, count: int = 10) -> tuple[str, ...]:
        """The tokens a neuron points to: the top of `W_out[l][i] . U^T` (Pan et al. 2024)."""
        row = self.w_out(neuron.layer).rows.detach()[neuron.index].float()
        best = (self.unembedding.detach().float() @ row).topk(count).indices.tolist()
        return tuple(self.tokenizer.batch_decode([[token] for token in best]))
