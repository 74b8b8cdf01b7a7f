"""Settings from outside the file: `--set a.b=v` and `EDITKIT_A__B=v`, laid over a recipe's document.

Names: `locate.top`, `edits[0].map.to`; in the environment `EDITKIT_LOCATE__TOP`, `EDITKIT_EDITS__0__MAP__TO`
(two underscores for each step down). Values are YAML: `8`, `[gun, pistol]`, `{demo: guns}`. A variable
without two underscores counts only if it names a key of the recipe (`EDITKIT_SEED`); others are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from editkit.errors import Problem, RecipeError
from editkit.recipe.parts import shorthand
from editkit.recipe.problems import did_you_mean
from editkit.recipe.yaml import Document, KeyPath, Place, dotted, read_yaml

PREFIX: Final = "EDITKIT_"
NAME: Final = re.compile(r"[\w-]+(?:\.[\w-]+|\[\d+\])*")


def apply_overrides(document: Document, overrides: Sequence[str]) -> list[Problem]:
    """Lay `a.b=v` settings over the document, in order."""
    problems = []
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals or NAME.fullmatch(name.strip()) is None:
            problems.append(Problem("", "expected key=value, such as locate.top=16", None, "--set"))
            continue
        problems += _assign(document, re.findall(r"[\w-]+", name), value, Place("--set"))
    return problems


def apply_environment(document: Document, environ: Mapping[str, str], keys: Iterable[str]) -> list[Problem]:
    """Lay `EDITKIT_A__B` variables over the document; `keys` are a recipe's top-level keys."""
    problems = []
    known = tuple(keys)
    for name in sorted(environ):
        steps = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or (len(steps) == 1 and steps[0] not in known):
            continue
        if steps[0] not in known:
            problems.append(Problem(steps[0], f"unknown key{did_you_mean(steps[0], known)}", None, name))
        else:
            problems += _assign(document, steps, environ[name], Place(name))
    return problems


def _assign(document: Document, steps: Sequence[str], text: str, place: Place) -> list[Problem]:
    """Put one value at its place; a problem when there is no such place or the value is no YAML."""
    try:
        # One line can hold no block of text: a leading > is a condition such as >= 0.95.
        value: Any = text if text.lstrip().startswith(">") else read_yaml(text, place.source).data
    except RecipeError as error:
        return [Problem(".".join(steps), error.problems[0].message, None, place.source)]
    holder = document.data
    if steps[0] == "model" and len(steps) > 1:
        holder["model"] = shorthand(holder.get("model"))
    path: KeyPath = ()
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        if isinstance(holder, dict):
            path = (*path, step)
            if last:
                holder[step] = value
            elif holder.get(step) is None:
                holder[step] = {}
            holder = holder[step]
        elif isinstance(holder, list) and step.isdecimal() and int(step) < len(holder):
            path = (*path, int(step))
            if last:
                holder[int(step)] = value
            holder = holder[int(step)]
        else:
            held = f"{len(holder)} items, counted from 0" if isinstance(holder, list) else "no keys"
            return [Problem(".".join(steps), f"can't be set: {dotted(path)} has {held}", None, place.source)]
    document.move(dotted(path), place)
    return []
