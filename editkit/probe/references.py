"""What people wrote about pictures: COCO captions, a file of one's own, or what the demo world knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from editkit.errors import InputError
from editkit.events import Noted, Tell
from editkit.plan import Case, Question
from editkit.recipe import CocoImages, Recipe

Captions = Mapping[str, tuple[str, ...]]


def with_references(recipe: Recipe, cases: Sequence[Case], tell: Tell) -> list[Case]:
    """The cases, those about one picture with what people wrote about it, where a metric asks for that.

    Raises:
        InputError: a file of captions that can't be read.
    """
    held = any(name.startswith("reference_") for name in recipe.evaluate.scored)
    if not held and not recipe.evaluate.counts_objects:
        return list(cases)
    written = captions(recipe)
    found = []
    for case in cases:
        own = written(case.question)
        found.append(replace(case, known=replace(case.known, references=own)) if own else case)
    if held and recipe.evaluate.references is not None and not any(case.known.references for case in found):
        advice = "give evaluate.references a file of captions"
        tell(
            Noted(f"no references are known for any picture, so nothing is held against them: {advice}", True)
        )
    return found


def captions(recipe: Recipe) -> Callable[[Question], tuple[str, ...]]:
    """What people wrote about the one picture of a question; nothing where a recipe wants no references.

    Raises:
        InputError: a file of captions that can't be read.
    """
    references = recipe.evaluate.references
    if references is None:
        return lambda question: ()
    written = dict(_written(recipe, references))
    return lambda question: _of(question, written)


def _of(question: Question, written: Captions) -> tuple[str, ...]:
    if len(question.images) != 1:
        return ()
    picture = question.images[0]
    return written.get(picture.name) or picture.captions


def _written(recipe: Recipe, references: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if references != "auto":
        yield from read(recipe.resolve(references)).items()
        return
    chair = recipe.evaluate.chair
    described = None if chair is None else chair.images
    for images in (recipe.probe.images, recipe.control.images, described):
        if isinstance(images, CocoImages):
            instances = recipe.resolve(images.coco)
            beside = instances.with_name(instances.name.replace("instances", "captions"))
            if beside != instances and beside.is_file():
                yield from read(beside).items()


def read(file: Path) -> dict[str, tuple[str, ...]]:
    """A COCO captions file, or {"a.jpg": ["a dog", "two dogs"]}: file name -> captions.

    Raises:
        InputError: it can't be read, or is neither.
    """
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
        if "annotations" in document:
            names = {item["id"]: str(item["file_name"]) for item in document["images"]}
            found: dict[str, list[str]] = {}
            for item in document["annotations"]:
                found.setdefault(names[item["image_id"]], []).append(str(item["caption"]))
        else:
            found = {
                str(name): [own] if isinstance(own, str) else [str(one) for one in own]
                for name, own in document.items()
            }
    except OSError as error:
        raise InputError(f"evaluate.references: {file} can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = "neither COCO captions nor pictures' names with captions"
        raise InputError(f"evaluate.references: {file} holds {what} ({type(error).__name__})") from error
    return {name: tuple(one.strip() for one in own if one.strip()) for name, own in found.items()}
