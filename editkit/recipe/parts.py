"""The parts of a recipe that name inputs: words, models, pictures, prompts, texts."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from editkit.recipe.problems import expected, keyed, refused

MODEL_FORMS: Final = "demo/scenes, org/name, org/name@revision, or a folder such as ./name"


def _said(text: str) -> str:
    if not text.strip():
        raise expected("text that is not blank")
    return text


def _slug(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) is None:
        raise expected("lower-case letters, digits and hyphens, such as fix-hallucination")
    return text


def _template(text: str) -> str:
    if re.fullmatch(r"[\w.]+\.\{\}(\.\w+)+", text) is None:
        raise expected('a module\'s path with {} for the layer, such as "model.layers.{}.mlp.down_proj"')
    return text


def as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    first: dict[str, int] = {}
    for at, word in enumerate(words):
        if word.casefold() in first:
            raise refused(f"the same as item {first[word.casefold()]}", (at,))
        first[word.casefold()] = at
    return words


Text = Annotated[str, AfterValidator(_said)]
Word = Annotated[str, AfterValidator(_said), AfterValidator(str.strip)]
Slug = Annotated[str, AfterValidator(_slug)]
Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Words = Annotated[
    tuple[Word, ...],
    BeforeValidator(as_list),
    Field(min_length=1),
    AfterValidator(distinct),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]
Template = Annotated[str, AfterValidator(_template)]
Lines = Annotated[tuple[Text, ...], AfterValidator(distinct)]


class Part(BaseModel):
    """A part of a recipe: frozen, and closed against unknown keys."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def shorthand(value: object) -> object:
    """`org/name@revision` -> its keys; folders may hold an @ in their names."""
    if not isinstance(value, str):
        return value
    name, at, revision = value.rpartition("@")
    pinned = bool(at) and not value.startswith((".", "/", "~"))
    return {"id": name, "revision": revision} if pinned else {"id": value}


class ModelRef(Part):
    """A model: the embedded demo/scenes, a Hub name, or a folder (./name)."""

    id: Text = Field(description="demo/scenes, org/name, or a folder such as ./name")
    revision: Text | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Text = Field("cpu", description="where torch runs it; auto: on all devices and the disk")
    max_memory: dict[Text, Text] | None = Field(
        None, description='with device auto: the most to use, such as {"0": 20GiB, cpu: 60GiB}'
    )
    load_in: Literal["8bit", "4bit"] | None = Field(
        None, description="packed by bitsandbytes: to locate and evaluate, not to solve"
    )
    w_out: Template | None = Field(
        None, description="of an unknown architecture: where W_out is, path.{}.to.module"
    )
    trust_remote_code: Flag = Field(False, description="whether code of the model's own repository may run")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: object) -> object:
        if not isinstance(value, str | dict):
            raise expected(f"a model: {MODEL_FORMS}")
        return shorthand(value)

    @model_validator(mode="after")
    def _limits(self) -> ModelRef:
        if self.max_memory is not None and self.device != "auto":
            raise refused("limits hold where device is auto", ("max_memory",))
        return self

    @property
    def is_path(self) -> bool:
        """Whether it can only be a folder."""
        return self.id.startswith((".", "/", "~"))


class EncoderRef(Part):
    """A model that gives words vectors, by which texts are compared, and the layer they are taken from."""

    model: Text = Field(description="demo/encoder, org/name, org/name@revision, or a folder such as ./name")
    layer: Count | None = Field(None, description="counted from 1; a usual one where none is given")


DemoSet = Literal["scenes", "clear", "faint", "guns", "spoons", "kites", "pairs"]


class DemoImages(Part):
    """Pictures of the embedded model's world, none of them ever trained on."""

    demo: DemoSet
    count: Count = 400
    seed: Whole | None = Field(None, description="the recipe's seed where none is given")


class FolderImages(Part):
    """Pictures of a folder or a glob, and where their objects are if somebody has marked them."""

    folder: Text
    count: Count | None = None
    masks: Text | None = Field(
        None, description="a folder of mask images, <picture's name without its ending>.<word>.png"
    )
    boxes: Text | None = Field(
        None, description='a JSON file: {"a.jpg": [{"label": "dog", "box": [x, y, width, height]}]}'
    )

    @model_validator(mode="after")
    def _one(self) -> FolderImages:
        if self.masks is not None and self.boxes is not None:
            raise refused("give masks or boxes, not both", ("boxes",))
        return self


class CocoImages(Part):
    """Pictures with COCO annotations: their folder, and the instances file that names what they show."""

    coco: Text
    images: Text = Field(description="the folder of the pictures")
    count: Count | None = None


class TextFile(Part):
    """A UTF-8 text file: one prompt a line, or running text."""

    file: Text


class DemoPrompts(Part):
    """The facts of the embedded model's world, as prompts."""

    demo: Literal["facts"]


class Sampled(Part):
    """What the model says by itself becomes running text."""

    prompt: str = Field("", description="what the model goes on from; may be empty")
    count: Count = 200
    max_new_tokens: Count = 64
    temperature: Positive = 1.0


def wanting(what: str, *keys: str) -> Discriminator:
    """Tells the members of a union apart by their keys, and says `expected <what>` for anything else."""
    return Discriminator(keyed(*keys), "expected", what)


def _under(key: str) -> BeforeValidator:
    return BeforeValidator(lambda text: {key: text})


_TEXT = WithJsonSchema({"type": "string"})


Images = Annotated[
    Annotated[DemoImages, Tag("<demo>")]
    | Annotated[CocoImages, Tag("<coco>")]
    | Annotated[FolderImages, Tag("<folder>")]
    | Annotated[FolderImages, _under("folder"), _TEXT, Tag("<text>")],
    wanting(
        "a folder, a glob, {demo: ...}, {folder: ...} or {coco: ..., images: ...}", "demo", "coco", "folder"
    ),
]
Prompts = Annotated[
    Annotated[Lines, Tag("<list>")]
    | Annotated[TextFile, Tag("<file>")]
    | Annotated[DemoPrompts, Tag("<demo>")],
    wanting("a list of prompts, {file: ...} or {demo: facts}", "file", "demo"),
]
Texts = Annotated[
    Annotated[Lines, Tag("<list>")]
    | Annotated[TextFile, Tag("<file>")]
    | Annotated[TextFile, _under("file"), _TEXT, Tag("<text>")],
    wanting("a list of texts, or the path of a text file", "file"),
]
Encoder = Annotated[
    Annotated[EncoderRef, Tag("<model>")] | Annotated[EncoderRef, _under("model"), _TEXT, Tag("<text>")],
    wanting("a model, or {model: ..., layer: ...}", "model"),
]
