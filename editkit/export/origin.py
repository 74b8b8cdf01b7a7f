"""What a base model's folder says of it: how it is loaded, what it is for, under which licence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from editkit.errors import RecipeError
from editkit.recipe.yaml import read_yaml

FRONT: Final = re.compile(r"\A\ufeff?---[^\S\n]*\n(.*?\n)---[^\S\n]*(?:\n|\Z)", re.DOTALL)
LONGEST: Final = 1 << 20
INHERITED: Final = ("license", "license_name", "license_link", "language")
# Task on the Hub -> the class of transformers that loads its models.
TASKS: Final = {
    "text-generation": "AutoModelForCausalLM",
    "image-text-to-text": "AutoModelForImageTextToText",
    "text2text-generation": "AutoModelForSeq2SeqLM",
}


@dataclass(frozen=True)
class Origin:
    """What there is to inherit from a base.

    Attributes:
        task: `pipeline_tag` on the Hub.
        loader: the class of transformers that loads it.
        front: lines of its card that hold for every edit of it too, licence and language.
    """

    task: str
    loader: str
    front: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sees(self) -> bool:
        return self.task == "image-text-to-text"


def origin(base: Path) -> Origin:
    """What a base's `config.json` and `README.md` say; what can't be read says nothing."""
    task = _task(_json(base / "config.json"))
    front = front_matter(_text(base / "README.md"))
    return Origin(task, TASKS[task], {key: front[key] for key in INHERITED if _plain(front.get(key))})


def front_matter(card: str) -> Mapping[str, Any]:
    """The YAML at the top of a model card; empty where there is none, or none that can be trusted."""
    found = FRONT.match(card)
    try:
        data = read_yaml(found[1], "README.md").data if found else None
    except RecipeError:
        return {}
    return data if isinstance(data, Mapping) else {}


def _plain(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and 0 < len(text) < 300 for text in texts)


def _task(config: Mapping[str, Any]) -> str:
    made = " ".join(map(str, config.get("architectures") or ()))
    if "vision_config" in config or "ImageTextToText" in made or "vision_encoder" in config:
        return "image-text-to-text"
    return "text2text-generation" if config.get("is_encoder_decoder") is True else "text-generation"


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(_text(path))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, Mapping) else {}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""
