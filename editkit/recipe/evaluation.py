"""How an edit is scored: which figures, of which further inputs, and what `accept` may ask of them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from editkit.recipe.parts import Count, Encoder, Part, Text, distinct
from editkit.recipe.problems import did_you_mean, expected

# The names of `editkit.evaluate.METRICS`: recipes are read without that room, and a test compares the two.
SCORES: Final = ("efficacy", "generalization", "locality", "counterfactual", "drift")
# Scores of a part of the cases, beside the metric they belong to.
PARTS: Final = {"locality_near": "locality", "locality_neighbors": "locality"}
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

    @property
    def scored(self) -> tuple[str, ...]:
        """Every metric that is scored: those named, and those that other keys ask for."""
        return self.metrics


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
    known = (*SCORES, *PARTS)
    if name not in known:
        hint = did_you_mean(name, known)
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
            "propertyNames": {"enum": [*SCORES, *PARTS]},
            "additionalProperties": {"type": "string", "pattern": f"^{CONDITION.pattern}$"},
        }
    ),
]


def measured_by(score: str) -> str:
    """The metric that a score belongs to."""
    return PARTS.get(score, score)
