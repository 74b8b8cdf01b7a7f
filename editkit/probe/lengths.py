"""How long the prompts of a recipe are in one model's tokens, told without its weights."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from PIL import Image

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.plan import Picture, Question
from editkit.probe.inputs import asked
from editkit.probe.questions import question
from editkit.recipe import DemoImages, Recipe

PHOTOGRAPH: Final = (640, 480)  # an ordinary one; some models spend more tokens on larger pictures
DRAWING: Final = (64, 64)
PREFIX: Final = 1_000  # characters: prompts cut from running text are no longer


def longest_prompt(recipe: Recipe, editable: Editable) -> int:
    """Tokens of the longest prompt, with those that stand for a picture of ordinary size.

    Raises:
        InputError: a file that can't be read, pictures for a model that takes none, or a prompt that does not
            fit into its context.
    """
    longest = max((_tokens(editable, one) for one in _questions(recipe, editable)), default=0)
    sampled = recipe.probe.sampled
    if sampled is None:
        return longest
    return max(longest, _tokens(editable, question(sampled.prompt)) + sampled.max_new_tokens)


def _questions(recipe: Recipe, editable: Editable) -> Iterator[Question]:
    """The longest of every sort."""
    probe = recipe.probe
    lines = [one.prompt for one in asked(recipe, editable, None, probe.prompts, recipe.seed)]
    if lines:
        shown = [] if probe.images is None else [_blank(DRAWING if _drawn(recipe) else PHOTOGRAPH)]
        chat = bool(shown) and editable.has_chat_template if probe.chat == "auto" else probe.chat
        yield question(max(lines, key=len), shown, chat=chat)
    if probe.texts is not None:
        running = asked(recipe, editable, None, probe.texts, recipe.seed)
        yield question("\n".join(one.prompt for one in running)[:PREFIX])
    for edit in recipe.edits:
        if edit.kind == "rewrite":
            fact = edit.rewrite
            yield question(max((fact.prompt, *fact.paraphrases, *fact.neighbors), key=len))


def _drawn(recipe: Recipe) -> bool:
    return isinstance(recipe.probe.images, DemoImages)


def _blank(size: tuple[int, int]) -> Picture:
    stream = io.BytesIO()
    Image.new("RGB", size, "gray").save(stream, format="PNG")
    return Picture("blank.png", stream.getvalue())


def _tokens(editable: Editable, one: Question) -> int:
    return int(feed(editable, [one]).inputs["input_ids"].shape[1])
