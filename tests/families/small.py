"""The recipes for real models, made small enough for a tiny checkpoint of the same class.

The weights of those are random, so they never say a recipe's word: it is set to one that the tiny model does
say. Besides that word, the model, the sizes and the pictures, nothing of a recipe is changed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from editkit.cli.checks import load_recipe
from editkit.cli.shipped import shipped
from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.model.generate import answers
from editkit.model.open import open_model
from editkit.plan import Picture
from editkit.probe.inputs import asked, prefixes, texts
from editkit.probe.questions import question
from editkit.recipe import CocoImages, ModelRef, Recipe

PICTURES = 24
TEXTS = 24
TOKENS = 12
SMALL = (
    "control.count=10",
    "locate.top=4",
    "solve.steps=3",
    "solve.preserve=10",
    f"evaluate.max_new_tokens={TOKENS}",
)
FAR = int(1.2 * (10 + 10))  # inputs that are cut from running text, besides those before the word


def draw(folder: Path) -> Path:
    """Pictures as different as random ones are."""
    rng = np.random.default_rng(0)
    for at in range(PICTURES):
        drawn = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(drawn).resize((32, 32), Image.Resampling.NEAREST).save(folder / f"{at:02d}.png")
    return folder


def annotated(pictures: Path, word: str, saying: list[int]) -> str:
    """COCO's form for these pictures, as if every second of those described with the word showed it."""
    names = sorted(path.name for path in pictures.glob("*.png"))
    document = {
        "images": [{"id": at, "file_name": name} for at, name in enumerate(names)],
        "categories": [{"id": 1, "name": word}],
        "annotations": [{"image_id": at, "category_id": 1} for at in saying[::2]],
    }
    file = pictures / "instances.json"
    file.write_text(json.dumps(document))
    return f"{{coco: {file}, images: {pictures}}}"


def said_by(editable: Editable, recipe: Recipe, pictures: Path) -> tuple[str, list[int]]:
    """A word that the model says to about a third of the recipe's inputs, and to which."""
    probe = recipe.probe
    if probe.sampled is not None:
        questions = prefixes(texts(recipe, editable, nobody), (), others=FAR, seed=recipe.seed)
    else:
        shown = [Picture(path.name, path) for path in sorted(pictures.glob("*.png"))]
        prompts = [one.prompt for one in asked(recipe, editable, None, probe.prompts, recipe.seed)]
        chat = editable.has_chat_template
        questions = [question(prompt, [picture], chat=chat) for prompt in prompts for picture in shown]
    said = [
        set(re.findall(r"(?<!\w)[a-z]+(?!\w)", answer.text.lower()))
        for answer in answers(editable, questions, max_new_tokens=TOKENS)
    ]
    words = Counter(word for some in said for word in some)
    assert words
    best = min(words, key=lambda word: (abs(words[word] - len(said) / 3), word))
    return best, [at for at, some in enumerate(said) if best in some]


def small(name: str, model: Path, pictures: Path) -> Recipe:
    """A recipe that ships, for the tiny model of a folder."""
    file = shipped()[name]
    written = load_recipe(file)
    edit, images = written.edits[0], written.probe.images
    changes = [f"model={{id: {model}}}", *SMALL]
    if written.locate.layers != "all":
        changes.append("locate.layers=[1]")  # they have two
    if written.probe.sampled is not None:
        changes += [f"probe.sampled.count={TEXTS}", f"probe.sampled.max_new_tokens={TOKENS}"]
    if edit.kind != "rewrite":
        editable = open_model(ModelRef(id=str(model)))
        word, saying = said_by(editable, load_recipe(file, changes), pictures)
        changes.append(f"edits[0].{'suppress' if edit.kind == 'suppress' else 'map.from'}={word}")
        if isinstance(images, CocoImages):
            changes.append(f"probe.images={annotated(pictures, word, saying)}")
        elif images is not None:
            changes.append(f"probe.images={pictures}")
    return load_recipe(file, changes)
