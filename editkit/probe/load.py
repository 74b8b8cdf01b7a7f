"""How much a recipe asks of one model, told without its weights: how long prompts are, how many at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from PIL import Image

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.memory import Load
from editkit.plan import Picture, Question
from editkit.probe.inputs import asked
from editkit.probe.questions import question
from editkit.recipe import DemoImages, Recipe

PHOTOGRAPH: Final = (640, 480)  # an ordinary one; some models spend more tokens on larger pictures
DRAWING: Final = (64, 64)
PREFIX: Final = 1_000  # characters: prompts cut from running text are no longer


def expected(recipe: Recipe, editable: Editable, *, solved: int, preserve: int) -> Load:
    """What `apply` will ask of the model, as far as memory goes.

    Args:
        solved: cases of each sort in a step of the solver; `preserve` those it keeps as they are. As many
            are reckoned with that are edited.

    Raises:
        InputError: see `longest_prompt`.
        RecipeError: the model does not have a layer that is asked for.
    """
    return Load(
        prompt=longest_prompt(recipe, editable),
        answer=recipe.evaluate.max_new_tokens,
        asked=recipe.evaluate.batch_size,
        solved=solved,
        sorts=2 + any(edit.when == "absent" for edit in recipe.edits),
        cases=2 * preserve,
        lowest=min(recipe.locate.layers_of(len(editable.layers))),
        packed=recipe.model.load_in,
    )


def longest_prompt(recipe: Recipe, editable: Editable) -> int:
    """Tokens of the longest prompt, with those that stand for a picture of ordinary size.

    Raises:
        InputError: a file that can't be read, pictures for a model that takes none, or a prompt that does not
            fit into its context.
    """
    found = [_fed(editable, one) for one in _questions(recipe, editable)]
    probe = recipe.probe
    running = 0
    if probe.texts is not None:
        lines = [one.prompt for one in asked(recipe, editable, None, probe.texts, recipe.seed)]
        running = len(editable.tokenizer("\n".join(lines)[:PREFIX])["input_ids"])
    if probe.sampled is not None:
        begun = len(editable.tokenizer(probe.sampled.prompt)["input_ids"])
        running = max(running, begun + probe.sampled.max_new_tokens)
    # What is cut from running text is cut until it fits.
    room = running if editable.context_length is None else editable.context_length
    return max([*found, min(running, room)])


def _questions(recipe: Recipe, editable: Editable) -> Iterator[Question]:
    """The longest of every sort."""
    probe = recipe.probe
    lines = [one.prompt for one in asked(recipe, editable, None, probe.prompts, recipe.seed)]
    if lines:
        shown = [] if probe.images is None else [_blank(DRAWING if _drawn(recipe) else PHOTOGRAPH)]
        chat = bool(shown) and editable.has_chat_template if probe.chat == "auto" else probe.chat
        yield question(max(lines, key=len), shown, chat=chat)
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


def _fed(editable: Editable, one: Question) -> int:
    return int(feed(editable, [one]).inputs["input_ids"].shape[1])
