"""Contribution score: how much a neuron adds to the logit of the word the model is about to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from editkit.events import Tell, stage
from editkit.locate.localizer import Scores, Scoring
from editkit.neuron import MatrixKey
from editkit.plan import EditPlan

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable


class Contribution(Scoring):
    """Activation x (W_out row . unembedding row of the token), without a backward pass of the model.

    `s[l, i, t] = o[l, i] * (W_out[l][i] . U[t])`, signed, over all layers and neurons, where `o` is read at
    the position whose next token is t (Pan et al. 2024, arXiv 2311.07470). Ours: every sub-token of the word
    at its own position (`tokens: first` is the paper's), averaged over them and then over the cases; and the
    product goes through all that stands between W_out and the stream (see `model/pushes.py`).
    """

    name: ClassVar[str] = "contribution"

    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(32, ge=1, description="cases in a forward pass")

    def scores(
        self, editable: Editable, plan: EditPlan, layers: tuple[int, ...], tell: Tell
    ) -> tuple[Scores, ...]:
        """See `Scoring.scores`: mean contribution to the logits of the source's tokens, in logits."""
        from editkit.locate.passes import Sums, passes, sayings
        from editkit.model.forward import call_inputs
        from editkit.model.pushes import pushing

        said = sayings(editable, plan, self.tokens)
        sums = Sums(editable, editable.matrices(layers), len(plan.edits))
        with stage(tell, "locate", len({one.case.question.id for one in said})) as advance:
            for batch in passes(editable, said, self.batch_size, advance):
                table = batch.by_edit(len(plan.edits))

                def add(key: MatrixKey, activations: Tensor, pulls: Tensor, table: Tensor = table) -> None:
                    pushed = activations * (pulls @ editable.w_out(*key).rows.detach().float().T)
                    sums.add(key, table, pushed)

                with pushing(editable, layers, batch.spots, editable.directions(batch.tokens), add):
                    editable.model(**call_inputs(editable, batch.fed))
                sums.count(table.sum(1))
        return sums.means()
