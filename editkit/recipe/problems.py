"""What pydantic found wrong, in words for the person who wrote the recipe. Values are never quoted: one
of them may be the word that must not be said."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from editkit.errors import Problem
from editkit.recipe.yaml import KeyPath, dotted

WANTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number that is not infinite",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys with values",
    "mapping_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "none_required": "nothing (null)",
    "too_short": "at least {min_length} item",
    "greater_than_equal": "a number of at least {ge}",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number of at most {le}",
    "less_than": "a number below {lt}",
}


def expected(what: str) -> PydanticCustomError:
    """The error a validator raises when it wanted something else."""
    return PydanticCustomError("expected", "{what}", {"what": what})


def refused(why: str, at: Sequence[str | int] = ()) -> PydanticCustomError:
    """The error a validator raises about a value of the right form; `at` is the place inside of it."""
    return PydanticCustomError("refused", "{why}", {"why": why, "at": tuple(at)})


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`, did you mean ...?`, or what is known when nothing resembles the word."""
    return _did_you_mean(str(word).lower(), tuple(known))


@lru_cache(maxsize=256)  # a hostile recipe makes one mistake many thousand times
def _did_you_mean(word: str, choices: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else f"; known here: {', '.join(choices)}"


def explain(
    error: ValidationError, model: type[BaseModel], data: object, also: Iterable[str] = ()
) -> list[Problem]:
    """One problem for each place; what the forms of a union would have accepted is put in one sentence.

    `also` are keys that are known beside the model's own, for "did you mean".
    """
    wanted: dict[KeyPath, list[str]] = {}
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        path, holders = _walk(detail["loc"], model, data)
        kind, context = detail["type"], detail.get("ctx", {})
        if kind == "extra_forbidden":
            known = [*(name for holder in holders for name in _keys(holder)), *also]
            problems.append(Problem(dotted(path), f"unknown key{did_you_mean(detail['loc'][-1], known)}"))
        elif kind == "missing":
            meant = next((_described(holder, path[-1]) for holder in holders), "")
            problems.append(Problem(dotted(path), f"is missing{meant}"))
        elif kind == "refused":
            problems.append(Problem(dotted((*path, *context["at"])), context["why"]))
        elif kind != "too_short" or len(detail["input"]) < context["min_length"]:
            # pydantic counts only the good items: a list of bad ones would look too short as well
            wanted.setdefault(path, []).append(_expectation(detail))
    for path, whats in wanted.items():
        problems.append(Problem(dotted(path), f"expected {' or '.join(dict.fromkeys(whats))}"))
    return problems


def _expectation(detail: ErrorDetails) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "string_type" and isinstance(value, bool | int | float):
        return (
            f"text, and YAML reads this as {'yes or no' if isinstance(value, bool) else 'a number'}: quote it"
        )
    if kind in ("literal_error", "enum"):
        choices = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
        close = difflib.get_close_matches(value.lower(), choices, n=1) if isinstance(value, str) else ()
        hint = f" (did you mean {close[0]}?)" if close else ""
        return " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices) + hint
    if kind == "expected":
        return detail["msg"]
    if kind in WANTED:
        return WANTED[kind].format(**context)
    return detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _walk(loc: KeyPath, model: type[BaseModel], data: object) -> tuple[KeyPath, list[type[BaseModel]]]:
    """The place in the data, without pydantic's names of union members, and the models that may hold it.

    A member named `<key>` is the one that has that key.
    """
    path: list[str | int] = []
    models = [model]
    holders = models
    for position, part in enumerate(loc):
        if (
            isinstance(part, str)
            and part.startswith("<")
            and not (isinstance(data, Mapping) and part in data)
        ):
            models = [one for one in models if part.strip("<>") in _keys(one)] or models
            continue
        inside = isinstance(data, Mapping) and part in data
        inside = inside or (isinstance(data, list | tuple) and isinstance(part, int) and part < len(data))
        known = isinstance(part, str) and any(part in _keys(one) for one in models)
        if not inside and not (known and position == len(loc) - 1):
            continue
        path.append(part)
        holders = models
        if isinstance(part, str):
            models = [
                inner
                for one in models
                if part in _keys(one)
                for inner in _models(_keys(one)[part].annotation)
            ]
        data = data[part] if inside else None  # type: ignore[index]
    return tuple(path), holders


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) if part is not NoneType for found in _models(part)]


def _described(model: type[BaseModel], key: object) -> str:
    field = _keys(model).get(str(key))
    return f": {field.description}" if field is not None and field.description else ""


def keyed(*keys: str) -> Callable[[object], str | None]:
    """A discriminator: the member whose key a mapping (nearly) holds; `<list>`, `<text>` for others."""

    def member(value: object) -> str | None:
        if isinstance(value, str):
            return "<text>"
        if isinstance(value, list | tuple):
            return "<list>"
        held = list(_keys(type(value))) if isinstance(value, BaseModel) else value
        if not isinstance(held, Mapping | list):
            return None
        present = [key for key in keys if key in held]
        near = [key for key in keys for name in held if difflib.get_close_matches(str(name), [key])]
        return next((f"<{key}>" for key in present + near), None)

    return member
