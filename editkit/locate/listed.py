"""The user's own neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from editkit.events import Tell
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from editkit.model.editable import Editable


class Listed(BaseModel):
    """Neurons named in the recipe, in that order, for every edit; `top` and `layers` choose nothing here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    neurons: tuple[str, ...] = Field(min_length=1, description="names such as L2.N345")

    def locate(
        self,
        editable: Editable,
        plan: EditPlan,
        layers: tuple[int, ...],
        top: int | Literal["all"],
        tell: Tell,
    ) -> tuple[Neurons, ...]:
        """Raises:
        UsageError: a name of another form, or a neuron the model does not have.
        """
        items = tuple(dict.fromkeys(Neuron.parse(name) for name in self.neurons))
        for neuron in items:
            editable.check(neuron)
        return tuple(Neurons(items, (0.0,) * len(items), "listed") for _ in plan.edits)
