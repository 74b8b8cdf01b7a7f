"""Localizers to compare, as people write them: `contribution`, `gradient:at=answer`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from editkit.errors import UsageError
from editkit.locate import LOCALIZERS
from editkit.locate.localizer import Localizer
from editkit.methods import build
from editkit.recipe import Recipe


@dataclass(frozen=True)
class Variant:
    """A localizer with its settings; `name` is as it was written."""

    name: str
    localizer: Localizer


def variants(recipe: Recipe, names: Sequence[str]) -> tuple[Variant, ...]:
    """The localizers of these names; settings of the recipe's own method are kept.

    Args:
        names: `method`, or `method:key=value` with `;` between several settings.

    Raises:
        UsageError: a name twice, or a setting that is no key=value.
        RecipeError: an unknown method, or a setting that it does not take.
    """
    if not names:
        raise UsageError("nothing to compare: name localizers, such as contribution,two_stage")
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise UsageError(f"{twice[0]} is compared with itself: name each localizer once")
    found = []
    for name in names:
        method, _, given = name.partition(":")
        settings = dict(recipe.locate.settings) if method == recipe.locate.method and not given else {}
        for one in filter(None, given.split(";")):
            key, equals, value = one.partition("=")
            if not equals:
                raise UsageError(f"{name}: {one!r} is no setting: write {method}:key=value")
            settings[key.strip()] = _value(value, name)
        found.append(Variant(name, build(LOCALIZERS, method, settings, "locate")))
    return tuple(found)


def _value(text: str, name: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: {text!r} is no value: write it as in a recipe") from error


def listed(text: str) -> tuple[str, ...]:
    """Localizers separated by commas; commas inside brackets are a setting's own."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return tuple(part.strip() for part in parts if part.strip())
