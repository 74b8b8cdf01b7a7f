"""Contribution score: how much a neuron adds to the logit of the word the model is about to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from editkit.events import Tell, stage
from editkit.neuron import Neurons
from editkit.plan import Case, EditPlan, PlannedEdit

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable


class Contribution(BaseModel):
    """Activation x (W_out row . unembedding row of the token), without gradients.

    `s[l, i, t] = o[l, i] * (W_out[l][i] . U[t])`, signed, over all layers and neurons, where `o` is read at
    the position whose next token is t (Pan et al. 2024, arXiv 2311.07470). Ours: every sub-token of the word
    at its own position (`tokens: first` is the paper's), averaged over them and then over the cases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tokens: Literal["all", "first"] = Field("all", description="every sub-token of the source, or its first")
    batch_size: int = Field(32, ge=1, description="cases in a forward pass")

    def locate(
        self,
        editable: Editable,
        plan: EditPlan,
        layers: tuple[int, ...],
        top: int | Literal["all"],
        tell: Tell,
    ) -> tuple[Neurons, ...]:
        """One ranking for each edit."""
        from editkit.locate.ranking import ranked

        found = []
        with stage(tell, "locate", len(plan.edits)) as advance:
            for edit in plan.edits:
                found.append(
                    ranked(
                        self.scores(editable, plan.of("edit", edit.number), edit, layers), top, "contribution"
                    )
                )
                advance(1)
        return tuple(found)

    def scores(
        self, editable: Editable, cases: tuple[Case, ...], edit: PlannedEdit, layers: tuple[int, ...]
    ) -> dict[int, Tensor]:
        """Mean contribution of every neuron to the source's tokens, layer -> float32 `[d_mlp]`."""
        import torch

        from editkit.model.feed import batches, feed
        from editkit.model.forward import call_inputs
        from editkit.model.hooks import recording
        from editkit.probe.positions import source_positions

        places = {}
        for case in cases:
            found = source_positions(editable.tokenizer, case, edit)
            places[case.question.id] = found[:1] if self.tokens == "first" else found
        asked = [case for case in cases if places[case.question.id]]
        total = {
            layer: torch.zeros(editable.w_out(layer).rows.shape[0], device=editable.device)
            for layer in layers
        }
        for chunk in batches([case.question for case in asked], self.batch_size):
            some = [asked[place] for place in chunk]
            fed = feed(editable, [case.question for case in some], [case.said_tokens for case in some])
            spots = [
                (row, fed.n_prompt - 1 + place, case.said_tokens[place], 1.0 / len(places[case.question.id]))
                for row, case in enumerate(some)
                for place in places[case.question.id]
            ]
            rows = torch.tensor([spot[0] for spot in spots], device=editable.device)
            columns = torch.tensor([spot[1] for spot in spots], device=editable.device)
            tokens, which = torch.tensor([spot[2] for spot in spots]).unique(return_inverse=True)
            weights = torch.tensor([spot[3] for spot in spots], device=editable.device)
            directions = editable.unembedding.detach()[tokens.to(editable.device)].float()

            def watch(
                layer: int,
                activations: Tensor,
                rows: Tensor = rows,
                columns: Tensor = columns,
                which: Tensor = which,
                weights: Tensor = weights,
                directions: Tensor = directions,
            ) -> None:
                if layer in total:
                    pushes = editable.w_out(layer).rows.detach().float() @ directions.T
                    emitted = activations[rows, columns].float()
                    total[layer] += (weights[:, None] * emitted * pushes.T[which.to(emitted.device)]).sum(0)

            with recording(editable, watch), torch.no_grad():
                editable.model(**call_inputs(editable, fed))
        return {layer: value / max(1, len(asked)) for layer, value in total.items()}
