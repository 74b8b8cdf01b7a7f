"""Ask a tiny checkpoint something, the way its processor wants it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from tests.families.family import Family

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable
    from editkit.model.feed import Fed
    from editkit.plan import Picture, Question

PROMPT: Final = "Describe the gun."
PROMPTS: Final = ("the gun", "Describe the image in few words.", "a knife and a fork on the table")
COLORS: Final = ("orange", "navy", "green")
SIZES: Final = (((32, 32), (64, 32)), ((64, 64), (40, 90)), ((30, 60), (200, 20)))


def questions(editable: Editable) -> list[Question]:
    """Three of different lengths, as chat turns where there is a template, each with a picture of its own."""
    from PIL import Image

    from editkit.plan import Picture
    from editkit.probe.questions import question

    found = []
    for prompt, color in zip(PROMPTS, COLORS, strict=True):
        encoded = io.BytesIO()
        Image.new("RGB", (32, 32), color).save(encoded, "PNG")
        shown = [Picture(f"{color}.png", encoded.getvalue())] if editable.accepts_images else []
        found.append(question(prompt, shown, chat=editable.has_chat_template))
    return found


def inputs(family: Family, reader: Any, *, prompt: str = PROMPT, color: str = "orange") -> Any:
    """What the model is given for a prompt and, where it sees, one picture of 32 x 32 in one color."""
    if not family.images:
        return reader(prompt, return_tensors="pt")
    from PIL import Image

    picture = Image.new("RGB", (32, 32), color)
    if getattr(reader, "chat_template", None):
        parts = [{"type": "image"}, {"type": "text", "text": prompt}]
        turns = [{"role": "user", "content": parts}]
        prompt = reader.apply_chat_template(turns, add_generation_prompt=True)
    return reader(images=[picture], text=[prompt], return_tensors="pt")


def drawn(name: str, width: int, height: int, seed: int = 0) -> Picture:
    """A picture of noise."""
    import numpy as np
    from PIL import Image

    from editkit.plan import Picture

    noise = np.random.default_rng([width, height, seed]).integers(0, 256, (height, width, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(noise).save(encoded, "PNG")
    return Picture(name, encoded.getvalue())


def of_several(count: int, *, chat: bool, changed: int | None = None) -> list[Question]:
    """Questions of several lengths with so many pictures each, of sizes and shapes of their own.

    `changed` counts the picture of each question that shows something else than without it.
    """
    from editkit.probe.questions import question

    return [
        question(
            prompt,
            [drawn(f"{w}x{h}.png", w, h, seed=int(at == changed)) for at, (w, h) in enumerate(sizes[:count])],
            chat=chat,
        )
        for prompt, sizes in zip(PROMPTS, SIZES, strict=True)
    ]


def entering(editable: Editable, fed: Fed) -> Tensor:
    """What the sequence is when the language model begins, `[n, n_tokens, d_model]`."""
    import torch

    from editkit.model.forward import call_inputs
    from editkit.model.hooks import hidden_of

    modules: dict[str, Any] = dict(editable.model.named_modules())
    # Where an encoder reads the prompt, and Idefics, which looks before its first layer.
    others = ("language_model.encoder.block.0", "model.gated_cross_attn_layers.0")
    first = next((modules[path] for path in others if path in modules), editable.layers[0])
    seen: list[Tensor] = []

    def look(module: Any, arguments: Any, named: Any) -> None:
        seen.append(hidden_of(arguments, named).clone())

    remover = first.register_forward_pre_hook(look, with_kwargs=True)
    with torch.no_grad():
        editable.model(**call_inputs(editable, fed))
    remover.remove()
    return seen[0]
