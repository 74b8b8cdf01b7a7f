"""Ask a tiny checkpoint something, the way its processor wants it."""

from __future__ import annotations

from typing import Any, Final

from tests.families.family import Family

PROMPT: Final = "Describe the gun."


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
