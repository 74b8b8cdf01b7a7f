"""The sections of a recipe: what to ask, and how to locate, solve, export and track."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from editkit.errors import Problem, RecipeError
from editkit.recipe.parts import (
    Count,
    Flag,
    Images,
    Part,
    Prompts,
    Sampled,
    Text,
    Texts,
    Whole,
)
from editkit.recipe.problems import expected, refused

CAPTION_PROMPT: Final = "Describe the image in few words."
LAYERS: Final = 'all, last_half, a list of layers such as [2, 3], or a range such as "2-5", counted from 0'


def _auto_or(value: object) -> str:
    return "<auto>" if value == "auto" else "<given>"


AutoOr = Discriminator(_auto_or)
Auto = Annotated[Literal["auto"], Tag("<auto>")]


class _Method(Part):
    """A method and its settings; they stay opaque here and are checked against the method's own class."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Twins(_Method):
    """How pictures lose their object, for localizers that compare a picture with itself without it."""

    method: Text = "biharmonic"
    grow: Whole = Field(2, description="pixels around the object that are painted over with it")
    count: Count = Field(64, description="pictures that get twins, for each edit")
    pairs: Text | None = Field(None, description="a folder of your own twins, named as their pictures")
    cache: Text | None = Field(None, description="the folder in which painted twins are kept")


class Probe(Part):
    """The inputs on which the model is asked; it says itself which of them show the source."""

    images: Images | None = Field(
        None, description="a folder, a glob, {demo: ...}, {folder: ...} or {coco: ...}"
    )
    prompts: Prompts = Field((), description="what is asked, of each picture where there are pictures")
    texts: Texts | None = Field(None, description="what stands before the word becomes a prompt")
    sampled: Sampled | None = None
    chat: Literal["auto"] | Flag = Field("auto", description="whether prompts go through the chat template")
    twins: Twins = Twins()

    @model_validator(mode="before")
    @classmethod
    def _captions(cls, value: object) -> object:
        if isinstance(value, Mapping) and value.get("images") is not None and "prompts" not in value:
            return {**value, "prompts": [CAPTION_PROMPT]}
        return value

    @model_validator(mode="after")
    def _asked(self) -> Probe:
        if self.images is not None and not self.prompts:
            raise refused("pictures need at least one prompt to go with them", ("prompts",))
        return self

    @property
    def asks(self) -> bool:
        return bool(self.images or self.prompts or self.texts or self.sampled)


class Control(Part):
    """Inputs on which nothing may change; `auto` takes probe inputs that no edit touches."""

    images: Annotated[Auto | Annotated[Images, Tag("<given>")], AutoOr] = "auto"
    prompts: Annotated[Auto | Annotated[Prompts, Tag("<given>")], AutoOr] = "auto"
    count: Count = 200


def _layers(value: object) -> object:
    if value in ("all", "last_half"):
        return value
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,6})-(\d{1,6})", value)):
        first, last = int(found[1]), int(found[2])
        if first <= last < first + 10_000:
            return tuple(range(first, last + 1))
    if isinstance(value, list | tuple) and value and all(type(one) is int and one >= 0 for one in value):
        return tuple(sorted(set(value)))
    raise expected(LAYERS)


Layers = Annotated[
    Literal["all", "last_half"] | tuple[int, ...],
    BeforeValidator(_layers),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["all", "last_half"]},
                {"type": "string", "pattern": "^[0-9]+-[0-9]+$"},
                {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
            ],
            "description": f"{LAYERS}",
        }
    ),
]


class Locate(_Method):
    """How the neurons are found, and how many are kept."""

    method: Text = "contribution"
    top: Count | Literal["all"] = 8
    layers: Layers = "all"

    def layers_of(self, count: int) -> tuple[int, ...]:
        """The layers meant, in a model that has `count`.

        Raises:
            RecipeError: the model does not have one of them.
        """
        if self.layers == "all":
            return tuple(range(count))
        if self.layers == "last_half":
            return tuple(range(count // 2, count))
        if max(self.layers) >= count:
            asked = f"asks for layer {max(self.layers)}, and the model has 0 to {count - 1}"
            raise RecipeError([Problem("locate.layers", asked)])
        return self.layers


class Solve(_Method):
    """How the change is found."""

    method: Text = "gradient"


def _place(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and value.strip()):
        return value
    raise expected("true, false or the path of a folder")


Place = Annotated[
    bool | str,
    BeforeValidator(_place),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string"}]}),
]


class Export(Part):
    """Other forms of an accepted edit beside the patch: true, or the folder to write."""

    merged: Place = Field(False, description="the whole edited checkpoint")
    lora: Place = Field(False, description="a LoRA adapter for PEFT")
    hub: Place = Field(False, description="a repository for the Hub: adapter, patch, model card")


class Privacy(Part):
    """How the words of edits appear: as they are, as a keyed hash, or not at all."""

    tracking: Literal["plain", "hash", "omit"] = "plain"
    published: Literal["plain", "hash", "omit"] = "hash"

    @model_validator(mode="after")
    def _patch_too(self) -> Self:
        if self.published == "plain" and self.tracking != "plain":
            raise refused(
                "the run keeps the patch, which would spell the words: hash or omit", ("published",)
            )
        return self


def _registered(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and re.fullmatch(r"[\w.-]+", value)):
        return value
    raise expected("true, false, or a name of letters, digits, dots, hyphens and underscores")


Registry = Annotated[
    bool | str,
    BeforeValidator(_registered),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"^[\w.-]+$"}]}),
]


class Track(Part):
    """Where the run is kept."""

    experiment: Text = "editkit"
    uri: Text | None = Field(None, description="MLflow tracking URI; by default sqlite:///mlflow.db")
    registry: Registry = Field(
        True, description="whether the edited model is registered: under the recipe's name, or the one given"
    )
    privacy: Privacy = Privacy()
