"""What `editkit models` says of a checkpoint: where its W_out are, what they lead to, what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from editkit.checkpoint import Orientation
from editkit.model.editable import PICTURE_TOKENS, Editable
from editkit.model.outline import Outline


@dataclass(frozen=True)
class Matrices:
    """W_outs of one kind, alike in some layers.

    Attributes:
        path: where they are in the running model, `{}` for the layer.
        experts: how many each layer routes between, None where it has one W_out.
        shape: (d_mlp, d_model) of each.
        tensor: its name in the files, `{}` for the layer (and the expert, where each has its own tensor).
        orientation: whether the files store a neuron as a row or as a column.
    """

    path: str
    layers: tuple[int, ...]
    experts: int | None
    shape: tuple[int, int]
    tensor: str
    orientation: Orientation
    dtype: str


@dataclass(frozen=True)
class Head:
    """What turns hidden states into logits; `cap` bends them, `scale` multiplies them."""

    name: str
    shape: tuple[int, ...]
    tied: bool
    bias: bool
    scale: float
    cap: float | None


@dataclass(frozen=True)
class Facts:
    """A checkpoint as editkit sees it.

    Attributes:
        dtype: of the weights once loaded.
        guess: the template that a person has to confirm, None where the architecture is known.
        image_tokens: what stands for a picture in a prompt.
        context: the longest sequence it takes, None where it has no bound.
    """

    kind: str
    dtype: str
    parameters: int
    stored_bytes: int
    matrices: tuple[Matrices, ...]
    guess: str | None
    head: Head
    images: bool
    image_tokens: tuple[str, ...]
    chat_template: bool
    context: int | None
    encoder_decoder: bool


def facts(found: Outline) -> Facts:
    """Everything `editkit models` shows of a checkpoint.

    Raises:
        ModelError: nothing in it looks like decoder layers, or the files do not hold what its config says.
    """
    editable = found.editable
    return Facts(
        kind=type(editable.model).__name__,
        dtype=str(editable.model.dtype).removeprefix("torch."),
        parameters=found.parameters,
        stored_bytes=found.stored_bytes,
        matrices=tuple(matrices(found)),
        guess=editable.layout.template if editable.layout.guessed else None,
        head=_head(editable),
        images=editable.accepts_images,
        image_tokens=_image_tokens(editable),
        chat_template=editable.has_chat_template,
        context=editable.context_length,
        encoder_decoder=editable.encoder_decoder,
    )


def matrices(found: Outline) -> Iterator[Matrices]:
    """Every W_out, those that are alike together, in order of their first layer.

    Raises:
        ModelError: see `facts`.
    """
    editable = found.editable
    counts: dict[str, int] = {}
    for place in editable.w_outs:
        if place.expert is not None:
            counts[place.parameter] = counts.get(place.parameter, 0) + 1
    kinds: dict[Any, list[int]] = {}
    for place in editable.w_outs:
        at = found.places[place.key]
        path = editable.layout.name + ".{}" + place.name.removeprefix(f"{editable.layout.name}.{place.layer}")
        numbers = 1 if place.expert is None or at.fused else 2
        kind = (
            path,
            counts.get(place.parameter),
            place.shape,
            _template(at.tensor, numbers),
            at.orientation,
            found.stored[at.tensor].dtype,
        )
        layers = kinds.setdefault(kind, [])
        if not layers or layers[-1] != place.layer:
            layers.append(place.layer)
    for (path, experts, shape, tensor, orientation, dtype), layers in kinds.items():
        yield Matrices(path, tuple(layers), experts, shape, tensor, orientation, dtype)


def _template(tensor: str, numbers: int) -> str:
    """A tensor's name with `{}` for its first numbers: the layer, and the expert."""
    parts = tensor.split(".")
    places = [at for at, part in enumerate(parts) if part.isdigit()][:numbers]
    return ".".join("{}" if at in places else part for at, part in enumerate(parts))


def _head(editable: Editable) -> Head:
    head: Any = editable.head
    names = [name for name, module in editable.model.named_modules() if module is head]
    embeddings = editable.model.get_input_embeddings()
    return Head(
        name=names[0],
        shape=tuple(head.weight.shape),
        tied=head.weight is embeddings.weight,
        bias=getattr(head, "bias", None) is not None,
        scale=editable.logit_scale,
        cap=editable.logit_cap,
    )


def _image_tokens(editable: Editable) -> tuple[str, ...]:
    tokenizer = editable.tokenizer
    said = (editable.model.config, editable.processor)
    ids = {getattr(one, name, None) for one in said for name in PICTURE_TOKENS} - {None}
    tokens = {tokenizer.convert_ids_to_tokens(one) for one in ids}
    return tuple(sorted(token for token in tokens if token))


def ranges(numbers: tuple[int, ...]) -> str:
    """`0-3, 5`: numbers in ascending order, as people write them."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    bounds = [[number for _, number in run] for _, run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in bounds)
