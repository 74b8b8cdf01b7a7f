"""Recipe -> questions: everything the model will be asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from editkit.demo import language
from editkit.errors import InputError
from editkit.events import Tell, stage
from editkit.model.editable import Editable
from editkit.model.generate import answers
from editkit.plan import PlannedEdit, Question
from editkit.probe.pictures import pictures
from editkit.probe.questions import question
from editkit.recipe import DemoImages, DemoPrompts, Images, Prompts, Recipe, TextFile

CONTROL_SEED: Final = 1_000  # control pictures of the demo world never come from the probe's seed
SPARE: Final = 1.2  # a few control inputs turn out to say the source


def _lines(recipe: Recipe, prompts: Prompts) -> list[tuple[str, bool | None]]:
    """Prompts, and whether each is a chat turn where it says so itself."""
    if isinstance(prompts, DemoPrompts):
        return [(fact.prompt, not fact.statement) for fact in language.facts()]
    if isinstance(prompts, TextFile):
        return [(line, None) for line in _read(recipe, prompts).splitlines() if line.strip()]
    return [(line, None) for line in prompts]


def _read(recipe: Recipe, file: TextFile) -> str:
    place = recipe.resolve(file.file)
    try:
        return place.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{place} can't be read ({error.strerror}): give a UTF-8 text file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{place} is no UTF-8 text") from error


def asked(
    recipe: Recipe, editable: Editable, images: Images | None, prompts: Prompts, seed: int
) -> list[Question]:
    """Every prompt of every picture; every prompt by itself where there are no pictures.

    Raises:
        InputError: see `pictures`; or pictures for a model that takes none.
    """
    if images is not None and not editable.accepts_images:
        raise InputError(f"{editable.name} takes no pictures: give prompts or texts instead of images")
    shown = pictures(recipe, images, seed) if images is not None else None
    wanted = recipe.probe.chat
    found = []
    for line, own in _lines(recipe, prompts):
        chat = editable.has_chat_template if wanted == "auto" else wanted
        if own is not None and wanted == "auto":
            chat = own and editable.has_chat_template
        elif shown is None and wanted == "auto":
            chat = False
        found += (
            [question(line, [picture], chat=chat) for picture in shown]
            if shown
            else [question(line, chat=chat)]
        )
    return found


def control_inputs(recipe: Recipe, editable: Editable, preserve: int) -> list[Question]:
    """Inputs on which nothing may change, beside those of the probe that no edit touches."""
    control = recipe.control
    images: Images | None = None if isinstance(control.images, str) else control.images
    if control.images == "auto" and isinstance(recipe.probe.images, DemoImages):
        count = int((control.count + preserve) * SPARE)
        images = DemoImages(demo="scenes", count=count, seed=recipe.seed + CONTROL_SEED)
    prompts = recipe.probe.prompts if control.prompts == "auto" else control.prompts
    if images is None and control.prompts == "auto":
        return []
    return asked(recipe, editable, images, prompts, recipe.seed + CONTROL_SEED)


def texts(recipe: Recipe, editable: Editable, tell: Tell) -> list[str]:
    """Running text: given, read from a file, or what the model says by itself."""
    given = recipe.probe.texts
    found = [_read(recipe, given)] if isinstance(given, TextFile) else list(given or ())
    sampled = recipe.probe.sampled
    if sampled is not None:
        start = question(sampled.prompt)
        with stage(tell, "sample", sampled.count) as advance:
            said = answers(
                editable,
                [start] * sampled.count,
                max_new_tokens=sampled.max_new_tokens,
                batch_size=recipe.evaluate.batch_size,
                sample=(sampled.temperature, recipe.seed),
                advance=advance,
            )
        found += [sampled.prompt + answer.text for answer in said]
    return found


def prefixes(
    running: Iterable[str],
    edits: Iterable[PlannedEdit],
    *,
    others: int,
    seed: int,
    fits: Callable[[str], bool] = lambda text: True,
    longest: int = 1_000,
) -> list[Question]:
    """Prompts from running text: what stands before each occurrence of a source, and `others` random places.

    A prefix is cut to its last `longest` characters, at a word, and further until it fits. Prefixes of one
    text are one group: each begins as the others do, so what was solved on one would be tested on the next.
    """
    found: list[tuple[str, str]] = []
    between: list[tuple[str, str]] = []
    for text in running:
        digest = hashlib.sha256(f"{seed}:{text}".encode())
        for edit in edits:
            before = [text[: match.start()].rstrip() for match in edit.source_pattern.finditer(text)]
            found += [(prefix, digest.hexdigest()[:16]) for prefix in before]
        places = [place for place, sign in enumerate(text) if sign.isspace() and text[:place].strip()]
        rng = np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))
        drawn = rng.permutation(len(places))[: max(2, others // 50)]
        between += [(text[: places[int(at)]].rstrip(), digest.hexdigest()[:16]) for at in drawn]
    rng = np.random.default_rng(seed)
    chosen = [between[int(at)] for at in rng.permutation(len(between))[:others]]
    cut: dict[str, str] = {}
    for text, group in (*found, *chosen):
        short = text if len(text) <= longest else text[-longest:].partition(" ")[2]
        while short and not fits(short):
            short = short[len(short) // 8 :].partition(" ")[2]
        if short:
            cut.setdefault(short, group)
    return [replace(question(text), group=group) for text, group in cut.items()]
