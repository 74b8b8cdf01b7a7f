"""How an edit is scored: which figures, of which further inputs, and what `accept` may ask of them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from editkit.recipe.parts import Count, Encoder, Flag, Lines, Part, Text, as_list, distinct
from editkit.recipe.problems import did_you_mean, expected, refused
from editkit.recipe.seen import POPE_KINDS, Chair, Pope

CHAIR: Final = ("chair_s", "chair_i", "object_recall", "caption_length")
POPE: Final = ("pope_accuracy", "pope_precision", "pope_recall", "pope_f1", "pope_yes", "pope_unclear")
# The names of `editkit.evaluate.METRICS`: recipes are read without that room, and a test compares the two.
SCORES: Final = (
    "efficacy",
    "generalization",
    "counterfactual",
    "locality",
    "drift",
    "bleu",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "bertscore",
    "reference_bleu",
    "reference_rouge_1",
    "reference_rouge_2",
    "reference_rouge_l",
    "reference_bertscore",
    "perplexity",
    "perplexity_ratio",
    "ngram_entropy",
    "repetition",
    "efficacy_paraphrase",
    "efficacy_negation",
    "efficacy_image_text",
    "locality_image_text",
    "efficacy_text_only",
    "locality_text_only",
    "efficacy_image_only",
    "locality_image_only",
    *CHAIR,
    *POPE,
)
# Scores of a part of the cases, beside the metric they belong to.
PARTS: Final = {
    "locality_near": "locality",
    "locality_neighbors": "locality",
    **{f"{name}_held_out": name for name in SCORES if name.startswith("reference_")},
    **{f"{name}_held_out": name for name in CHAIR},
    **{f"{name}_{kind}": name for name in POPE for kind in POPE_KINDS},
}
# What `accept` may name: POPE has a score for each kind of question and none of all.
JUDGED: Final = (*(name for name in SCORES if name not in POPE), *PARTS)
METRICS: Final = (
    "efficacy",
    "generalization",
    "locality",
    "counterfactual",
    "drift",
    "bleu",
    "ngram_entropy",
    "repetition",
)
# Keys that ask for metrics: all of a line where none of them is named, else those named.
ASKING: Final[Mapping[str, tuple[str, ...]]] = {
    "perplexity": ("perplexity", "perplexity_ratio"),
    "probes.paraphrase": ("efficacy_paraphrase",),
    "probes.negation": ("efficacy_negation",),
    "probes.modality": (
        "efficacy_image_text",
        "locality_image_text",
        "efficacy_text_only",
        "locality_text_only",
        "efficacy_image_only",
        "locality_image_only",
    ),
    "chair": CHAIR,
    "pope": POPE,
}
# Of these the metrics can be named without their key.
NEEDLESS: Final = ("chair",)
# The encoder that ships reads the world of the model that ships.
ENCODERS: Final = {"demo/scenes": "demo/encoder"}
OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
CONDITION: Final = re.compile(r"\s*(>=|<=|>|<)\s*(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)\s*")


def _lines_or_auto(value: object) -> str:
    return "<auto>" if value == "auto" else "<list>"


AutoOrLines = Annotated[
    Annotated[Literal["auto"], Tag("<auto>")]
    | Annotated[Lines, BeforeValidator(as_list), Field(min_length=1), Tag("<list>")],
    Discriminator(_lines_or_auto),
]
Paths = Annotated[
    tuple[Text, ...],
    BeforeValidator(as_list),
    Field(min_length=1),
    AfterValidator(distinct),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]


class Probes(Part):
    """Held-out inputs asked in other ways; only scored."""

    paraphrase: AutoOrLines | None = Field(
        None, description="other prompts for the same: auto, or a list; {prompt} in one stands for its own"
    )
    negation: AutoOrLines | None = Field(
        None, description="prompts that deny the source: auto, or a list; {source} in one stands for the word"
    )
    modality: Flag = Field(False, description="prompts without their pictures, pictures without a prompt")
    count: Count = Field(40, description="inputs of a sort that are asked in each of these ways")


class Evaluate(Part):
    metrics: Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(distinct)] = METRICS
    max_new_tokens: Count = 32
    batch_size: Count = 64
    encoder: Encoder | None = Field(None, description="what BERTScore and MoverScore compare texts by")
    bleurt: Text | None = Field(None, description="a regression checkpoint for BLEURT")
    references: Text | None = Field("auto", description="what people wrote: auto, or a file of captions")
    perplexity: Paths | None = Field(None, description="text files or folders of them to be read")
    probes: Probes = Probes()
    chair: Chair | None = Field(None, description="counts the objects that captions invent (CHAIR)")
    pope: Pope | None = Field(None, description="yes/no questions about objects (POPE)")

    @model_validator(mode="after")
    def _asked(self) -> Evaluate:
        for key, metrics in ASKING.items():
            for at, name in enumerate(self.metrics):
                if name in metrics and key not in NEEDLESS and not self._asks(key):
                    raise refused(f"needs evaluate.{key}", ("metrics", at))
        return self

    @property
    def scored(self) -> tuple[str, ...]:
        """Every metric that is scored: those named, and those that other keys ask for."""
        asked = [
            name
            for key, metrics in ASKING.items()
            if self._asks(key) and not set(metrics) & set(self.metrics)
            for name in metrics
        ]
        return (*self.metrics, *asked)

    @property
    def counts_objects(self) -> bool:
        """Whether objects that are named are held against those that are there."""
        return any(name in CHAIR for name in self.scored)

    def lacks(self, score: str) -> str | None:
        """What is missing for a score to be measured; None where nothing is."""
        metric = measured_by(score)
        if metric in self.scored:
            return None
        keys = [key for key, metrics in ASKING.items() if metric in metrics and key not in NEEDLESS]
        unasked = [f"evaluate.{key}" for key in keys if not self._asks(key)]
        return unasked[0] if unasked else f"{metric} among evaluate.metrics"

    def _asks(self, key: str) -> bool:
        value: object = self
        for step in key.split("."):
            value = getattr(value, step)
        return bool(value)


@dataclass(frozen=True)
class Condition:
    """One line of `accept`, such as `>= 0.95`."""

    operator: str
    threshold: float

    def __str__(self) -> str:
        return f"{self.operator} {self.threshold!r}"

    def met(self, value: float) -> bool:
        return OPERATORS[self.operator](value, self.threshold)


def _condition(value: object) -> object:
    if isinstance(value, Condition):
        return value
    found = CONDITION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not math.isfinite(float(found[2])):
        raise expected('a condition in quotes, such as ">= 0.95" or "<= 0.02"')
    return Condition(found[1], float(found[2]))


def _score(name: str) -> str:
    if name not in JUDGED:
        hint = did_you_mean(name, JUDGED)
        raise expected(f"the name of a score{hint}")
    return name


Accept = Annotated[
    dict[
        Annotated[str, AfterValidator(_score)],
        Annotated[Condition, BeforeValidator(_condition), PlainSerializer(str)],
    ],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"enum": list(JUDGED)},
            "additionalProperties": {"type": "string", "pattern": f"^{CONDITION.pattern}$"},
        }
    ),
]


def measured_by(score: str) -> str:
    """The metric that a score belongs to."""
    return PARTS.get(score, score)
