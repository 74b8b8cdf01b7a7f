"""YAML without surprises: plain data, the place of every key, and refusals that never quote a value.

Words stay words: `012`, `12:30` and `2024-01-01` are text here, `1e-4` is a number, and only `true/false`,
`yes/no`, `on/off`, whole and decimal numbers, and nothing (`null`, `~`) are read as anything but text.
Repeated keys, tags, and aliases that unfold into more than MOST_ALIASED nodes are refused. So is what would
take longer than a second to read: nothing in a stranger's recipe is done before somebody has looked at it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from editkit.errors import Problem, RecipeError

LARGEST: Final = 1_000_000
MOST_ALIASED: Final = 10_000
MOST_NODES: Final = 20_000
DEEPEST: Final = 30
MOST_TOLD: Final = 100

KeyPath = tuple[str | int, ...]

DECIMAL: Final = r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
READINGS: Final = (
    ("bool", re.compile(r"(?i:true|false|yes|no|on|off)"), "tTfFyYnNoO"),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), "-+0123456789"),
    ("float", re.compile(DECIMAL), "-+.0123456789"),
    ("null", re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
)


READ_AS: Final = {f"tag:yaml.org,2002:{name}" for name in ("str", *(name for name, *_ in READINGS))}
UNTAGGED: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
TAGGED: Final = "tags (words that begin with !) are not used in recipes"


class _TooMuch(Exception):
    pass


class _Reader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own way to declare them)
    n_nodes = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Stops where PyYAML would go on for seconds: its time grows with nodes times depth."""
        self.n_nodes, self.depth = self.n_nodes + 1, self.depth + 1
        if self.n_nodes > MOST_NODES:
            raise _TooMuch
        if self.depth > DEEPEST:
            raise RecursionError
        found = super().compose_node(parent, index)
        self.depth -= 1
        return found


class _Writer(yaml.SafeDumper):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def ignore_aliases(self, data: object) -> bool:
        return True


for _name, _pattern, _first in READINGS:
    for _dialect in (_Reader, _Writer):
        _exact = re.compile(f"(?:{_pattern.pattern})$")
        _dialect.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _exact, list(_first))


@dataclass(frozen=True)
class Place:
    """Where a key or an item was written: a file and its line, or the option that set it."""

    source: str
    line: int | None = None


@dataclass
class Document:
    """What a recipe's text says, and where every part of it stands."""

    data: Any
    places: dict[str, Place] = field(default_factory=dict)
    text: str = ""

    def place(self, path: str) -> Place | None:
        """The place of a dotted path, or of the nearest part that exists above it."""
        while path and path not in self.places:
            path = re.sub(r"(^|\.)[^.\[]*$|\[\d+\]$", "", path)
        return self.places.get(path)

    def move(self, path: str, place: Place) -> None:
        """A value was set from elsewhere: it and everything below it now stand there."""
        below = (f"{path}.", f"{path}[")
        self.places = {key: old for key, old in self.places.items() if not key.startswith(below)}
        self.places[path] = place

    def refusal(self, problems: Iterable[Problem]) -> RecipeError:
        """The error for these problems, each with its place, in the order of the text."""
        placed = []
        for problem in problems:
            place = self.place(problem.path)
            if place is not None and problem.source is None:
                problem = replace(problem, source=place.source, line=place.line)
            placed.append(problem)
        return RecipeError(sorted(placed, key=lambda one: (one.line or 0, one.path))[:MOST_TOLD])


def dotted(path: KeyPath) -> str:
    """`("edits", 1, "map")` -> `edits[1].map`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class _Walk:
    """Turns composed nodes into data, collecting places and problems on the way."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.places: dict[str, Place] = {}
        self.problems: list[Problem] = []
        self.seen: set[int] = set()
        self.aliased = 0

    def refuse(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(dotted(path), message, node.start_mark.line + 1, self.source))

    def read(self, node: yaml.Node, path: KeyPath, inside_alias: bool = False) -> Any:
        inside_alias = inside_alias or id(node) in self.seen
        self.seen.add(id(node))
        self.aliased += inside_alias
        if self.aliased > MOST_ALIASED:
            problem = Problem("", "its aliases unfold into too much: write it out", None, self.source)
            raise RecipeError([problem])
        self.places.setdefault(dotted(path), Place(self.source, node.start_mark.line + 1))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in UNTAGGED:
            self.refuse(node, path, TAGGED)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, inside_alias)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, at), inside_alias) for at, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath, inside_alias: bool) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, path, "a key must be a word")
                continue
            if key_node.tag not in READ_AS:
                self.refuse(key_node, path, TAGGED)
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            here = (*path, key)
            if key in first:
                self.refuse(key_node, here, f"given twice: here and in line {first[key]}")
                continue
            first[key] = line
            self.places[dotted(here)] = Place(self.source, line)
            data[key] = self.read(value_node, here, inside_alias)
        return data

    def scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        text = node.value
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "str":
                return text
            case "null" if not text or text.lower() in ("~", "null"):
                return None
            case "bool" if text.lower() in ("true", "yes", "on", "false", "no", "off"):
                return text.lower() in ("true", "yes", "on")
            case "int" | "float" as kind if re.fullmatch(DECIMAL, text):
                if math.isfinite(float(text)):
                    return int(text) if kind == "int" else float(text)
                self.refuse(node, path, "expected a number that is not infinite")
            case _:
                self.refuse(node, path, TAGGED)
        return None


def read_yaml(text: str, source: str) -> Document:
    """Read one YAML document.

    Raises:
        RecipeError: it is no YAML, or YAML that could be misread; every problem with its line.
    """
    if len(text) > LARGEST:
        raise RecipeError([Problem("", "larger than 1 MB: put long lists into files", None, source)])
    walk = _Walk(source)
    try:
        node = yaml.compose(text, Loader=_Reader)
        data = None if node is None else walk.read(node, ())
    except yaml.MarkedYAMLError as error:
        raise RecipeError([_syntax(error, source)]) from None
    except yaml.reader.ReaderError:
        raise RecipeError([Problem("", "holds characters that no text has", None, source)]) from None
    except RecursionError:
        raise RecipeError([Problem("", "nested too deeply", None, source)]) from None
    except _TooMuch:
        why = f"more than {MOST_NODES:,} keys and values: put long lists into files"
        raise RecipeError([Problem("", why, None, source)]) from None
    if walk.problems:
        raise RecipeError(walk.problems[:MOST_TOLD])
    return Document(data, walk.places, text)


def _syntax(error: yaml.MarkedYAMLError, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "it can't be read"
    if "indentation indicators" in what:
        what = "text that begins with > or | must be quoted"
    elif "alias" in what or "anchor" in what:
        what = "text that begins with * or & must be quoted"
    elif "mapping values are not allowed" in what:
        what = "a second colon in one line, or wrong indentation: quote text that holds a colon"
    elif "another document" in what:
        what = "a recipe is one document: no second ---"
    return Problem("", f"no YAML: {what}", None if mark is None else mark.line + 1, source)


def write_yaml(data: object) -> str:
    """YAML that `read_yaml` reads back as the same data; keys in the order given."""
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)
