"""Method objects from a room's literal table: name and settings in, a checked object out.

A table maps names to `module:Class`; the classes are frozen pydantic models whose files import torch only
inside calls, so settings are checked without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from editkit.errors import Problem, RecipeError
from editkit.recipe.problems import did_you_mean, explain

Table = Mapping[str, str]
JsonSchema = dict[str, Any]


def names(table: Table) -> tuple[str, ...]:
    return tuple(table)


def load(table: Table, name: str, path: str) -> Any:
    """What a table's line points at.

    Raises:
        RecipeError: the table has no such name.
    """
    if name not in table:
        raise RecipeError([Problem(path, f"unknown name{did_you_mean(name, table)}")])
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def build(
    table: Table, name: str, settings: Mapping[str, object], path: str, shared: Iterable[str] = ()
) -> Any:
    """The method of that name with these settings.

    Args:
        path: the section's, such as `locate`; `shared` are keys the section has beside a method's own.

    Raises:
        RecipeError: no such method (`locate.method`), or every setting it does not take (`locate.tokens`).
    """
    method: type[BaseModel] = load(table, name, f"{path}.method")
    try:
        return method.model_validate(dict(settings))
    except ValidationError as error:
        found = explain(error, method, dict(settings), shared)
        raise RecipeError([Problem(f"{path}.{one.path}".rstrip("."), one.message) for one in found]) from None


def schema(table: Table, section: JsonSchema, default: str) -> tuple[JsonSchema, JsonSchema]:
    """JSON Schema of a section with one variant for each method, and the definitions the variants refer to.

    Args:
        section: the schema of the keys that all methods share (`method` among them).
        default: the method meant where none is named.
    """
    variants, definitions = [], {}
    for name in table:
        own = load(table, name, "").model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions.update({f"{name}.{key}": value for key, value in own.pop("$defs", {}).items()})
        shared = {
            **section["properties"],
            "method": {"const": name, "description": own.get("description", "")},
        }
        required = [*own.get("required", ()), *(() if name == default else ("method",))]
        variants.append(
            {
                "type": "object",
                "title": name,
                "properties": {**shared, **own["properties"]},
                "required": required,
                "additionalProperties": False,
            }
        )
    return {"anyOf": variants, "description": section.get("description", "")}, definitions
