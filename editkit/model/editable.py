"""A model whose W_out rows can be found, read and changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from editkit.errors import ModelError, UsageError
from editkit.model.layouts import EXPERTS, Layout, layout, neurons_are_rows, sides
from editkit.model.weights import weight_of
from editkit.neuron import MatrixKey, Neuron, in_order

VOCABULARY_BLOCK: Final = 16_384
# What configs call the token that stands for a picture, or for a film.
PICTURE_TOKENS: Final = ("image_token_id", "image_token_index")
VIDEO_TOKENS: Final = ("video_token_id", "video_token_index")


@dataclass(frozen=True)
class WOut:
    """One W_out: where it is in the running model, and whether it is stored with neurons as rows.

    Attributes:
        expert: which of the layer's experts, None where the layer has one W_out.
        name: `model.layers.0.mlp.down_proj`; of experts the name of the parameter that holds them all.
        module: what is called with its activations; of experts the module that routes between them.
    """

    layer: int
    expert: int | None
    name: str
    module: nn.Module
    as_rows: bool

    @property
    def key(self) -> MatrixKey:
        return self.layer, self.expert

    @property
    def parameter(self) -> str:
        """The name of the parameter that holds it."""
        return f"{self.name}.weight" if self.expert is None else self.name

    @property
    def rows(self) -> Tensor:
        """The weight neuron-major, `[d_mlp, d_model]`: a view, where it is neither packed nor offloaded."""
        if self.expert is None:
            weight = weight_of(self.module)
        else:
            weight = weight_of(self.module, EXPERTS)[self.expert]
        return weight if self.as_rows else weight.T

    @property
    def shape(self) -> tuple[int, int]:
        """`(d_mlp, d_model)`, also where the weight is packed."""
        if self.expert is None:
            return sides(self.module)
        height, width = self.module.get_parameter(EXPERTS).shape[1:]
        return (height, width) if self.as_rows else (width, height)

    @property
    def device(self) -> torch.device:
        """Where its rows come out; those of offloaded weights come to the processor."""
        name = "weight" if self.expert is None else EXPERTS
        device: torch.device = self.module.get_parameter(name).device
        return device if device.type != "meta" else torch.device("cpu")


@dataclass(frozen=True)
class Editable:
    """A loaded checkpoint with its processor.

    Attributes:
        model: the transformers model, in evaluation mode.
        processor: the processor, or the tokenizer of a text-only model.
        folder: the checkpoint's files.
        name: what the recipe called it; `revision` the commit it was resolved to, None for local files.
        template: where the user says W_out is, `path.{}.to.module`.
    """

    model: Any
    processor: Any
    folder: Path
    name: str
    revision: str | None = None
    template: str | None = None

    @property
    def tokenizer(self) -> Any:
        return getattr(self.processor, "tokenizer", self.processor)

    @property
    def device(self) -> torch.device:
        """Where inputs go; what is offloaded is brought there."""
        device: torch.device = self.model.device
        if device.type != "meta":
            return device
        return torch.device(getattr(getattr(self.model, "_hf_hook", None), "execution_device", None) or "cpu")

    @cached_property
    def text_config(self) -> Any:
        return self.model.config.get_text_config()

    @property
    def encoder_decoder(self) -> bool:
        """Whether an encoder reads the prompt, and the answer starts anew in the decoder."""
        return bool(getattr(self.text_config, "is_encoder_decoder", False))

    @cached_property
    def layout(self) -> Layout:
        return layout(self.model, self.template)

    @property
    def layers(self) -> tuple[nn.Module, ...]:
        return self.layout.layers

    @cached_property
    def w_outs(self) -> tuple[WOut, ...]:
        """Every W_out, by layer and expert."""
        return tuple(sorted(w_outs_of(self.layout), key=lambda place: in_order(place.key)))

    @cached_property
    def _by_key(self) -> dict[MatrixKey, WOut]:
        return {place.key: place for place in self.w_outs}

    @cached_property
    def head(self) -> nn.Module:
        """What turns hidden states into logits.

        Raises:
            ModelError: the model has no output embeddings.
        """
        found: nn.Module | None = self.model.get_output_embeddings()
        if found is None:
            raise ModelError(f"{self.name}: the model has no output embeddings, so it says no words")
        return found

    @property
    def unembedding(self) -> Tensor:
        """Token directions as the head stores them, `[d_vocab, d_embedding]`."""
        return weight_of(self.head)

    @property
    def n_logits(self) -> int:
        """How many tokens a position's logits speak of; a head may keep some apart from its weight."""
        apart = int(getattr(self.head, "out_additional_features", 0))
        return self.head.get_parameter("weight").shape[0] + apart

    @property
    def d_model(self) -> int:
        return self.w_outs[0].shape[1]

    @cached_property
    def logit_scale(self) -> float:
        """What the model multiplies its head's output with (Cohere, Granite), or the head's input (T5)."""
        config = self.text_config
        scale = float(getattr(config, "logit_scale", None) or 1.0)
        scale /= float(getattr(config, "logits_scaling", None) or 1.0)
        return scale * (self.d_model**-0.5 if getattr(config, "scale_decoder_outputs", False) else 1.0)

    @property
    def logit_cap(self) -> float | None:
        """Where the model bends its logits to (Gemma 2): cap * tanh(logit / cap)."""
        cap: float | None = getattr(self.text_config, "final_logit_softcapping", None)
        return cap

    @cached_property
    def _projection(self) -> Tensor | None:
        """What narrows the stream before the head (OPT-350m), `[d_embedding, d_model]`."""
        narrow, wide = self.unembedding.shape[1], self.d_model
        if narrow == wide:
            return None
        for name, module in self.model.named_modules():
            linear = isinstance(module, nn.Linear) and module.weight.shape == (narrow, wide)
            if linear and not name.startswith(self.layout.name):
                return weight_of(module)
        raise ModelError(f"{self.name}: nothing leads from a stream of {wide} to a head of {narrow}")

    def directions(self, tokens: Tensor) -> Tensor:
        """What a push on these tokens' logits is in the residual stream, float32 `[n, d_model]`.

        The final norm and its gain are left out (Pan et al. 2024); a soft cap on the logits, which changes
        no order, too. All else that stands between stream and logits is in it.
        """
        stored = self.unembedding.detach()
        found = stored[tokens.to(stored.device)].float() * self.logit_scale
        narrow = self._projection
        return found if narrow is None else found @ narrow.detach().float()

    @property
    def accepts_images(self) -> bool:
        return getattr(self.processor, "image_processor", None) is not None

    @cached_property
    def picture_token(self) -> int | None:
        """The token in whose places in a prompt a model puts what it sees; None where it has none."""
        ids = (getattr(self.model.config, name, None) for name in PICTURE_TOKENS)
        return next((token for token in ids if token is not None), None)

    @cached_property
    def picture_tokens(self) -> list[int]:
        """Tokens that stand for a picture: nothing to say, and no model can be asked about them as text."""
        config = self.model.config
        found = {getattr(config, name, None) for name in (*PICTURE_TOKENS, *VIDEO_TOKENS)}
        return sorted(token for token in found if token is not None and token < self.n_logits)

    @property
    def has_chat_template(self) -> bool:
        return getattr(self.processor, "chat_template", None) is not None

    @cached_property
    def context_length(self) -> int | None:
        """The longest sequence the model takes, None where it has no such bound."""
        for name in ("max_position_embeddings", "max_seq_len"):
            length: int | None = getattr(self.text_config, name, None)
            if length is not None:
                return length
        return None

    def w_out(self, layer: int, expert: int | None = None) -> WOut:
        """That layer's W_out, or one of its experts'.

        Raises:
            UsageError: the model has no such layer or expert.
        """
        found = self._by_key.get((layer, expert))
        if found is None:
            raise UsageError(self._missing(layer, expert))
        return found

    def _missing(self, layer: int, expert: int | None) -> str:
        if not 0 <= layer < len(self.layers):
            return f"{self.name} has layers 0 to {len(self.layers) - 1}, not {layer}"
        experts = [place.expert for place in self.w_outs if place.layer == layer and place.expert is not None]
        if not experts:
            return f"{self.name}: layer {layer} has no experts, so a neuron there is written L{layer}.N0"
        return f"{self.name}: layer {layer} has the experts 0 to {len(experts) - 1}: write L{layer}.E0.N0"

    def matrices(self, layers: Sequence[int]) -> tuple[MatrixKey, ...]:
        """Every W_out of some layers."""
        wanted = set(layers)
        return tuple(place.key for place in self.w_outs if place.layer in wanted)

    def check(self, neuron: Neuron) -> None:
        """Raises:
        UsageError: the model has no such neuron.
        """
        width = self.w_out(neuron.layer, neuron.expert).shape[0]
        if neuron.index >= width:
            raise UsageError(
                f"{self.name} has no {neuron}: layer {neuron.layer} has neurons 0 to {width - 1}"
            )

    def row_norms(self, layer: int, expert: int | None = None) -> Tensor:
        """Norms of a W_out's rows, float32 `[d_mlp]`."""
        norms: Tensor = self.w_out(layer, expert).rows.detach().float().norm(dim=1)
        return norms

    def decoded(
        self, neurons: Sequence[Neuron], count: int = 10, signs: Sequence[int] | None = None
    ) -> tuple[tuple[str, ...], ...]:
        """The tokens each neuron points to: the top of `W_out[l][i] . U^T` (Pan et al. 2024).

        Args:
            signs: -1 for a neuron whose activation is negative: it pushes what its row points away from.
        """
        if not neurons:
            return ()
        rows = torch.stack(
            [self.w_out(n.layer, n.expert).rows.detach()[n.index].float().cpu() for n in neurons]
        )
        if signs is not None:
            rows = rows * torch.tensor(signs, dtype=rows.dtype)[:, None]
        blocks = torch.arange(self.unembedding.shape[0]).split(VOCABULARY_BLOCK)
        pushes = torch.cat([self.directions(block).cpu() @ rows.T for block in blocks])
        best = pushes.topk(count, dim=0).indices.T.tolist()
        return tuple(tuple(self.tokenizer.batch_decode([[token] for token in tokens])) for tokens in best)


def w_outs_of(found: Layout) -> list[WOut]:
    """Every W_out of a layout, one for each expert."""
    places = []
    for number, (layer, matrices) in enumerate(zip(found.layers, found.matrices, strict=True)):
        for matrix in matrices:
            module, name = layer.get_submodule(matrix.path), f"{found.name}.{number}.{matrix.path}"
            as_rows = neurons_are_rows(module)
            if matrix.experts is None:
                places.append(WOut(number, None, name, module, as_rows))
            else:
                places += [
                    WOut(number, expert, f"{name}.{EXPERTS}", module, as_rows)
                    for expert in range(matrix.experts)
                ]
    return places
