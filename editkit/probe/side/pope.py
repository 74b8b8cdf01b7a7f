"""Yes/no questions about the objects of pictures (POPE)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from editkit.demo import sets, world
from editkit.errors import InputError
from editkit.events import Noted, Tell
from editkit.model.editable import Editable
from editkit.plan import Case, Known, Picture, PlannedEdit
from editkit.probe import coco, scenes
from editkit.probe.pope import official
from editkit.probe.pope.generated import Company, polls
from editkit.probe.pope.poll import Poll
from editkit.probe.questions import question
from editkit.probe.side.given import Given
from editkit.recipe import PopeCoco, PopeDemo, PopeFiles, Recipe, pope_kind_of

SEED: Final = 3_000  # pictures of the demo world come from no seed that other inputs take
NAMED: Final = 3
WORLD: Final = 2_000  # scenes that tell what usually stands beside what


def polled(
    recipe: Recipe, editable: Editable, edits: Sequence[PlannedEdit], cases: Sequence[Case], tell: Tell
) -> Sequence[Given]:
    """Every question of `evaluate.pope`, each in the suite of its kind.

    Raises:
        InputError: a file that can't be read, no picture that is there, or pictures for a model that takes
            none.
    """
    pope = recipe.evaluate.pope
    if pope is None:
        return ()
    if not editable.accepts_images:
        raise InputError(f"evaluate.pope: {editable.name} takes no pictures: leave evaluate.pope out")
    if isinstance(pope, PopeFiles):
        shown, asked = _published(recipe, pope, tell)
    elif isinstance(pope, PopeCoco):
        shown, asked = _annotated(recipe, pope)
    else:
        shown, asked = _drawn(recipe, pope)
    chat = editable.has_chat_template if recipe.probe.chat == "auto" else recipe.probe.chat
    return [
        Given(
            f"pope_{one.sort}", question(one.text, [shown[one.image]], chat=chat), known=Known(answer=one.yes)
        )
        for one in asked
    ]


Asked = tuple[Mapping[str, Picture], Sequence[Poll]]


def check(recipe: Recipe) -> None:
    """What can be known of the questions before the long work.

    Raises:
        InputError: a file that can't be read, or no such folder of pictures.
    """
    pope = recipe.evaluate.pope
    if isinstance(pope, PopeFiles):
        _questions(recipe, pope)
    elif isinstance(pope, PopeCoco) and not recipe.resolve(pope.coco).is_file():
        raise InputError(f"evaluate.pope.coco: no file {recipe.resolve(pope.coco)}")
    if isinstance(pope, PopeFiles | PopeCoco) and not recipe.resolve(pope.images).is_dir():
        raise InputError(f"evaluate.pope.images: no folder {recipe.resolve(pope.images)}")


def _questions(recipe: Recipe, pope: PopeFiles) -> list[Poll]:
    asked: list[Poll] = []
    for name in pope.files:
        kind = pope_kind_of(name)
        assert kind is not None  # the recipe was refused otherwise
        asked += official.read(recipe.resolve(name), kind)
    return asked


def _published(recipe: Recipe, pope: PopeFiles, tell: Tell) -> Asked:
    asked = _questions(recipe, pope)
    folder = recipe.resolve(pope.images)
    names = list(dict.fromkeys(one.image for one in asked))
    found = {name: _file(folder, name) for name in names}
    there = {name: Picture(name, file) for name, file in found.items() if file is not None}
    missing = [name for name in names if name not in there]
    if not there:
        raise InputError(
            f"evaluate.pope: none of the {len(names)} pictures that are asked about is in {folder}, such as "
            f"{names[0]}: give their folder as evaluate.pope.images"
        )
    if missing:
        some = f"{', '.join(missing[:NAMED])}{', ...' if len(missing) > NAMED else ''}"
        text = f"{len(missing)} of {len(names)} pictures are not in {folder} ({some})"
        tell(Noted(f"evaluate.pope: {text}; they are left out", warning=True))
    shown = dict(list(there.items())[: pope.count])
    return _readable(shown), [one for one in asked if one.image in shown]


def _file(folder: Path, name: str) -> Path | None:
    """The picture of that name; what leads out of the folder is none.

    COCO named its pictures `COCO_val2014_<number>.jpg` first, and has left that out since 2017.
    """
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    ways = (folder / name, folder / re.sub(r"^COCO_[a-z]+\d{4}_", "", name))
    return next((way for way in ways if way.is_file()), None)


def _annotated(recipe: Recipe, pope: PopeCoco) -> Asked:
    found = coco.instances(recipe.resolve(pope.coco))
    shown = {one.name: one for one in found.pictures(recipe.resolve(pope.images), pope.count)}
    contents = {name: one.contains or frozenset() for name, one in shown.items()}
    company = Company.of(found.kinds, found.contents())
    asked = polls(contents, company, pope.kinds, each=pope.each, seed=recipe.seed)
    if not asked:
        raise InputError(
            f"evaluate.pope: no picture of {found.file} shows anything that could be asked about"
        )
    return _readable(shown), asked


def _drawn(recipe: Recipe, pope: PopeDemo) -> Asked:
    shown = {one.name: one for one in scenes.pictures(pope.demo, pope.count, recipe.seed + SEED)}
    contents = {name: one.contains or frozenset() for name, one in shown.items()}
    usual = (frozenset(scene.kinds) for scene in sets.scenes("scenes", WORLD, recipe.seed + SEED))
    company = Company.of(world.KINDS, usual)
    return shown, polls(contents, company, pope.kinds, each=pope.each, seed=recipe.seed)


def _readable(shown: Mapping[str, Picture]) -> Mapping[str, Picture]:
    for picture in shown.values():
        picture.open()
    return shown
