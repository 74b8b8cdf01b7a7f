"""Open an encoder: what turns the tokens of a text into vectors that are near where meanings are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.errors import ModelError
from editkit.evaluate.similarity.reading import load_reader, load_tokenizer
from editkit.model.files import locate_files
from editkit.recipe import ModelRef

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDED: Final = {"demo/encoder": Path(__file__).parents[2] / "demo" / "encoder"}
EMBEDDED_LAYERS: Final = {"demo/encoder": 3}


@dataclass(frozen=True)
class Encoder:
    """An encoder and the layer whose states are its vectors.

    Attributes:
        layer: counted from 1; 0 is the embeddings before the first layer.
    """

    model: Any
    tokenizer: Any
    layer: int
    name: str

    @cached_property
    def special(self) -> frozenset[int]:
        return frozenset(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}

    def tokens(self, text: str) -> list[int]:
        """A text's tokens, special ones too; what is longer than the model can read is cut off."""
        found: list[int] = self.tokenizer(text, truncation=True)["input_ids"]
        return found

    def says_something(self, text: str) -> bool:
        """Whether any token of the text is its own."""
        return any(token not in self.special for token in self.tokens(text))

    def states(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
        """`[n_texts, n_tokens, d_model]` after the layer."""
        import torch

        device = next(self.model.parameters()).device
        with torch.no_grad():
            said = self.model(
                ids.to(device), attention_mask=attention_mask.to(device), output_hidden_states=True
            )
        states: Tensor = said.hidden_states[self.layer].float()
        return states

    def vectors(self, texts: Sequence[str], batch_size: int = 64) -> list[Tensor]:
        """`[n_tokens, d_model]` of each text, special tokens left out: of length 1, on the CPU."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found: dict[int, Tensor] = {}
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            tokens = [torch.tensor(self.tokens(texts[place])) for place in places]
            seen = pad_sequence([torch.ones_like(some) for some in tokens], batch_first=True)
            pad = self.tokenizer.pad_token_id
            states = self.states(pad_sequence(tokens, batch_first=True, padding_value=pad), seen).cpu()
            for place, some, state in zip(places, tokens, states, strict=True):
                own = [at for at, token in enumerate(some.tolist()) if token not in self.special]
                found[place] = torch.nn.functional.normalize(state[own], dim=-1)
        return [found[place] for place in range(len(texts))]


def open_encoder(ref: ModelRef, layer: int | None = None) -> Encoder:
    """An encoder from a folder, the Hub, or the one that ships (`demo/encoder`).

    Args:
        layer: whose states are taken, counted from 1. Where none is given: the one that bert-score was tuned
            to for a model of that name, else the last.

    Raises:
        ModelError: it is not there, can't be read, or has no such layer.
    """
    try:
        folder = EMBEDDED.get(ref.id) or locate_files(ref)[0]
        model = load_reader(folder, ref.id)
        tokenizer = load_tokenizer(folder, ref.id, model.config)
        count = _count(model, ref.id)
    except ModelError as error:
        raise ModelError(f"evaluate.encoder: {error}") from error
    model.to(ref.device)
    chosen = _usual_layer(ref.id, count) if layer is None else layer
    if not 0 <= chosen <= count:
        raise ModelError(f"evaluate.encoder.layer: asks for layer {chosen}, and {ref.id} has 1 to {count}")
    return Encoder(model, tokenizer, chosen, ref.id)


def _count(model: Any, name: str) -> int:
    """How many layers there are: not every config calls their number the same, or counts encoders alone."""
    import torch

    try:
        with torch.no_grad():
            return (
                len(model(torch.zeros((1, 1), dtype=torch.long), output_hidden_states=True).hidden_states) - 1
            )
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        kind = type(model).__name__
        raise ModelError(f"{name}: {kind} reads no texts, and an encoder such as BERT does") from error


def _usual_layer(name: str, count: int) -> int:
    if name in EMBEDDED_LAYERS:
        return EMBEDDED_LAYERS[name]
    from bert_score.utils import model2layers

    tuned: int = model2layers.get(name, count)
    return min(tuned, count)
