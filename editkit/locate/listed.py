"""The user's own neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from editkit.errors import UsageError
from editkit.events import Tell
from editkit.locate.localizer import Localizer, Top
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan
from editkit.recipe.problems import refused

if TYPE_CHECKING:
    from editkit.model.editable import Editable


class Listed(Localizer):
    """Neurons named in the recipe, in that order, for every edit; `top` and `layers` choose nothing here."""

    name: ClassVar[str] = "listed"

    neurons: tuple[str, ...] = Field(
        min_length=1, description="names such as L2.N345, of an expert L2.E3.N345"
    )

    @field_validator("neurons")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for at, name in enumerate(names):
            try:
                Neuron.parse(name)
            except UsageError as error:
                raise refused(str(error), (at,)) from None
        return names

    def check(self, editable: Editable) -> None:
        """Raises:
        UsageError: a neuron the model does not have.
        """
        for name in self.neurons:
            editable.check(Neuron.parse(name))

    def locate(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], top: Top, tell: Tell
    ) -> tuple[Neurons, ...]:
        """Raises:
        UsageError: see `check`.
        """
        self.check(editable)
        items = tuple(dict.fromkeys(Neuron.parse(name) for name in self.neurons))
        return tuple(Neurons(items, (0.0,) * len(items), "listed") for _ in plan.edits)
