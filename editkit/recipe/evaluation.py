"""How an edit is scored: which figures, of which further inputs, and what `accept` may ask of them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from editkit.recipe.parts import Count, Encoder, Part, Text, distinct
from editkit.recipe.problems import did_you_mean, expected, refused
from editkit.recipe.seen import POPE_KINDS, Chair, Pope

# The names of `editkit.evaluate.METRICS`: recipes are read without that room, and a test compares the two.
CHAIR: Final = ("chair_s", "chair_i", "object_recall", "caption_length")
POPE: Final = ("pope_accuracy", "pope_precision", "pope_recall", "pope_f1", "pope_yes", "pope_unclear")
SCORES: Final = ("efficacy", "generalization", "locality", "counterfactual", "drift", *CHAIR, *POPE)
# Scores of a part of the cases, beside the metric they belong to.
PARTS: Final = {
    "locality_near": "locality",
    "locality_neighbors": "locality",
    **{f"{name}_held_out": name for name in CHAIR},
    **{f"{name}_{kind}": name for name in POPE for kind in POPE_KINDS},
}
# POPE has a score for each kind of question and none of all.
JUDGED: Final = (*(name for name in SCORES if name not in POPE), *PARTS)
METRICS: Final = ("efficacy", "generalization", "locality", "counterfactual", "drift")
OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
CONDITION: Final = re.compile(r"\s*(>=|<=|>|<)\s*(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)\s*")


class Evaluate(Part):
    metrics: Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(distinct)] = METRICS
    max_new_tokens: Count = 32
    batch_size: Count = 64
    encoder: Encoder | None = Field(None, description="what BERTScore and MoverScore compare texts by")
    bleurt: Text | None = Field(None, description="a regression checkpoint for BLEURT")
    chair: Chair | None = Field(None, description="counts the objects that captions invent (CHAIR)")
    pope: Pope | None = Field(None, description="yes/no questions about objects (POPE)")

    @model_validator(mode="after")
    def _asked(self) -> Evaluate:
        needless = [at for at, name in enumerate(self.metrics) if name in POPE and self.pope is None]
        if needless:
            raise refused("needs evaluate.pope, which says what is asked", ("metrics", needless[0]))
        return self

    @property
    def scored(self) -> tuple[str, ...]:
        """Every metric that is scored: those named, and those that other keys ask for."""
        asked = (CHAIR if self.chair is not None else ()) + (POPE if self.pope is not None else ())
        return tuple(dict.fromkeys((*self.metrics, *asked)))

    @property
    def counts_objects(self) -> bool:
        """Whether objects that are named are held against those that are there."""
        return any(name in CHAIR for name in self.scored)


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


def needed_for(score: str) -> str:
    """What a recipe needs so that a score is measured."""
    metric = measured_by(score)
    return "evaluate.pope" if metric in POPE else f"{metric} among evaluate.metrics"
