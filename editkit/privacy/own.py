"""Words that editkit's own pages and settings say, whatever the edit is: there they give nothing away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from editkit.privacy.spelling import folded
from editkit.recipe import Recipe
from editkit.recipe.evaluation import JUDGED

ROOMS: Final = ("page", "page/templates", "track", "figures", "evaluate", "study")
WORD: Final = re.compile(r"[^\W_]+")


@cache
def own_words() -> frozenset[str]:
    """In lower case. From the files themselves, so that it is right when a page gets another sentence."""
    texts = [*JUDGED, *_keys(Recipe.model_json_schema())]
    for room in ROOMS:
        for file in files("editkit").joinpath(room).iterdir():
            texts += _texts(file)
    return frozenset(word.lower() for text in texts for word in WORD.findall(folded(text)))


def _texts(file: Traversable) -> Iterator[str]:
    if file.name.endswith((".html", ".css")):
        yield file.read_text("utf-8")
    elif file.name.endswith(".py"):
        tree = ast.parse(file.read_text("utf-8"))
        # A text that stands alone is a docstring, which no page shows.
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                yield node.value


def _keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from _keys(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _keys(inner)
