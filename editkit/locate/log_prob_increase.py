"""Log-probability increase: how much likelier the word becomes when one neuron is added to the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable
    from editkit.model.tail import Tail


class LogProbIncrease(Scoring):
    """`log p(t | h + o_i w_i) - log p(t | h)`, read off the stream at once (Yu and Ananiadou 2024).

    h is the stream before the layer's feed-forward part adds to it, o_i w_i what the neuron adds, and p the
    model's final norm and head on either. One forward pass; then for every word a product of its neurons'
    rows with the whole unembedding, which `candidates` bounds where the vocabulary is large.
    """

    name: ClassVar[str] = "log_prob_increase"

    candidates: int | Literal["all"] = Field(
        "all",
        description="neurons of each layer that are tried at a place, those that push hardest; others get 0",
    )
    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(32, ge=1, description="cases in a forward pass")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean increase in nats.

        Raises:
            ModelError: what the model does after its last layer is more than a chain of modules.
        """
        from editkit.locate.increase import increases, tail_of
        from editkit.locate.passes import Sums, passes, sayings
        from editkit.model.forward import call_inputs
        from editkit.model.pushes import Leaving, leaving

        said = sayings(editable, plan, self.tokens)
        sums = Sums(editable, editable.matrices(layers), len(plan.edits))
        tail = None
        with stage(tell, "locate", len({one.case.question.id for one in said})) as advance:
            for batch in passes(editable, said, self.batch_size, advance):
                inputs = call_inputs(editable, batch.fed)
                tail = tail or tail_of(editable, inputs, batch.spots)
                table = batch.by_edit(len(plan.edits))

                def add(
                    one: Leaving, table: Tensor = table, tokens: Tensor = batch.tokens, tail: Tail = tail
                ) -> None:
                    rows = editable.w_out(*one.key).rows.detach().float()
                    sums.add(one.key, table, increases(one, rows, tokens, tail, self.candidates))

                with leaving(editable, layers, batch.spots, add):
                    editable.model(**inputs)
                sums.count(table.sum(1))
        return sums.means()
