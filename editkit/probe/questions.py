"""Make questions: what a model will be asked, before anybody asked it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from editkit.plan import Picture, Question


def question(prompt: str, images: Iterable[Picture] = (), *, chat: bool = False) -> Question:
    """A question with its digests: one of pictures and prompt, one of what no two roles may share."""
    pictures = tuple(images)
    shown = hashlib.sha256()
    for picture in pictures:
        shown.update(hashlib.sha256(picture.encoded()).digest())
    whole = shown.copy()
    whole.update(prompt.encode() + (b"\0chat" if chat else b""))
    group = shown if pictures else whole
    return Question(whole.hexdigest()[:16], group.hexdigest()[:16], prompt, pictures, chat)
