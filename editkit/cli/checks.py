"""A recipe against what is there: the localizers, solvers, inpainters and metrics of this installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from editkit.errors import Problem, RecipeError
from editkit.evaluate import METRICS
from editkit.locate import LOCALIZERS
from editkit.methods import JsonSchema, build, schema
from editkit.probe.inpaint import INPAINTERS
from editkit.recipe import Locate, Recipe, Solve, Twins
from editkit.recipe import load_recipe as read
from editkit.recipe.problems import did_you_mean
from editkit.solve import SOLVERS

ROOMS: Final = (
    ("locate", LOCALIZERS, Locate),
    ("solve", SOLVERS, Solve),
    ("probe.twins", INPAINTERS, Twins),
)


def problems(document: Mapping[str, Any]) -> list[Problem]:
    """What no room knows of a recipe's plain data; parts of the wrong type are the schema's business."""
    found: list[Problem] = []
    for section, table, model in ROOMS:
        given: Any = document
        for step in section.split("."):
            given = given.get(step, {}) if isinstance(given, Mapping) else None
        name = given.get("method", model().method) if isinstance(given, Mapping) else None
        if not isinstance(name, str):
            continue
        settings = {key: value for key, value in given.items() if key not in model.model_fields}
        try:
            build(table, name, settings, section, shared=model.model_fields)
        except RecipeError as error:
            found += error.problems
    evaluate = document.get("evaluate")
    metrics = evaluate.get("metrics") if isinstance(evaluate, Mapping) else None
    for at, metric in enumerate(metrics if isinstance(metrics, list | tuple) else ()):
        if isinstance(metric, str) and metric not in METRICS:
            found.append(Problem(f"evaluate.metrics[{at}]", f"unknown metric{did_you_mean(metric, METRICS)}"))
    return found


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe's file; every method, setting and metric of it is looked up here.

    Args:
        overrides: settings such as `locate.top=16`, stronger than the environment and the file.

    Raises:
        RecipeError: the file can't be read, or every problem in it.
    """
    return read(path, overrides, check=problems)


def check(recipe: Recipe) -> None:
    """Look whether every method, setting and metric of a recipe is there.

    Raises:
        RecipeError: all that are not, each with its line.
    """
    if found := problems(recipe.document()):
        raise recipe.refusal(found)


def json_schema() -> JsonSchema:
    """The JSON Schema of recipes, with the settings of every method."""
    whole = Recipe.model_json_schema(by_alias=True)
    definitions = whole["$defs"]
    for _section, table, model in ROOMS:
        merged, more = schema(table, definitions[model.__name__], default=model().method)
        definitions[model.__name__] = merged
        definitions.update(more)
    definitions["ModelRef"] = {"anyOf": [{"type": "string"}, definitions["ModelRef"]]}
    definitions["Evaluate"]["properties"]["metrics"]["items"] = {"enum": list(METRICS)}
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "editkit recipe, version 1"}
    return {**_lenient(whole), **title}


def _lenient(node: Any) -> Any:
    """`anyOf` wherever pydantic writes `oneOf`: the word auto is also a path, and one reading is enough."""
    if isinstance(node, dict):
        plain = {key: value for key, value in node.items() if key != "discriminator"}
        return {"anyOf" if key == "oneOf" else key: _lenient(value) for key, value in plain.items()}
    return [_lenient(item) for item in node] if isinstance(node, list) else node
