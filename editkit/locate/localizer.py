"""What a localizer is: settings that are checked without torch, and a ranking of neurons for each edit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict

from editkit.errors import InputError, ModelError
from editkit.events import Tell
from editkit.neuron import MatrixKey, Neurons
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable

SILENT: Final = (
    "what neurons of these layers emit over a picture reaches no answer (those of the last layer never do): "
    "take lower locate.layers, or locate.at: answer"
)
Top = int | Literal["all"]
Scores = dict[MatrixKey, "Tensor"]


class Localizer(BaseModel, ABC):
    """EditPlan -> Neurons: one ranking for each edit, by signed score, highest first.

    Attributes:
        name: what the recipe calls it.
        backwards: whether it differentiates, which packed weights do not allow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: ClassVar[str]
    backwards: ClassVar[bool] = False

    @property
    def nulls(self) -> int | None:
        """How many null twins each picture needs beside its inpainted twin; None: no twins either."""
        return None

    def check(self, editable: Editable) -> None:
        """Raises:
        ModelError: it can't be used on this model.
        """
        from editkit.model.weights import is_packed

        if self.backwards and any(is_packed(place.module) for place in editable.w_outs):
            raise ModelError(
                f"locate.method: {self.name} differentiates, and the weights are packed in 8 or 4 bits: "
                "leave model.load_in away, or take a method without gradients, such as contribution"
            )

    @property
    def by_region(self) -> bool:
        """Whether it asks which tokens show an object, which has no answer where tokens are shuffled."""
        return False

    @abstractmethod
    def locate(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], top: Top, tell: Tell
    ) -> tuple[Neurons, ...]:
        """The `top` neurons of these layers for each edit of the plan, from its edit cases.

        Raises:
            InputError: the plan lacks what the method needs, such as pictures with known objects.
            ModelError: see `check`.
        """


class Scoring(Localizer):
    """A localizer that gives every neuron a score."""

    @abstractmethod
    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """For each edit the score of every neuron, float32 `[d_mlp]` for every W_out of these layers.

        A neuron that the method rules out has -inf. All edits are scored in one pass over the inputs, and
        what is kept does not grow with their number.
        """

    def locate(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], top: Top, tell: Tell
    ) -> tuple[Neurons, ...]:
        from editkit.locate.ranking import ranked

        self.check(editable)
        found = self.scores(editable, plan, layers, tell)
        for edit, scores in zip(plan.edits, found, strict=True):
            if plan.of("edit", edit.number) and not any(bool(own.any()) for own in scores.values()):
                raise InputError(f"edits[{edit.number}]: {self.name} gives 0 to every neuron: {SILENT}")
        return tuple(ranked(scores, top, self.name) for scores in found)
