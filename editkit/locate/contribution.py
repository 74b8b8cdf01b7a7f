"""Contribution score: how much a neuron adds to the logit of the word the model is about to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from editkit.events import Tell, stage
from editkit.neuron import MatrixKey, Neurons
from editkit.plan import Case, EditPlan, PlannedEdit

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable


class Contribution(BaseModel):
    """Activation x (W_out row . unembedding row of the token), without a backward pass of the model.

    `s[l, i, t] = o[l, i] * (W_out[l][i] . U[t])`, signed, over all layers and neurons, where `o` is read at
    the position whose next token is t (Pan et al. 2024, arXiv 2311.07470). Ours: every sub-token of the word
    at its own position (`tokens: first` is the paper's), averaged over them and then over the cases; and the
    product goes through all that stands between W_out and the stream (see `model/pushes.py`).
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
    ) -> dict[MatrixKey, Tensor]:
        """Mean contribution of every neuron to the source's tokens, float32 `[d_mlp]` for every W_out."""
        import torch

        from editkit.model.feed import batches, feed
        from editkit.model.forward import call_inputs
        from editkit.model.hooks import Spots
        from editkit.model.pushes import pushing
        from editkit.probe.positions import source_positions

        places = {}
        for case in cases:
            found = source_positions(editable.tokenizer, case, edit)
            places[case.question.id] = found[:1] if self.tokens == "first" else found
        asked = [case for case in cases if places[case.question.id]]
        total = {
            key: torch.zeros(editable.w_out(*key).shape[0], device=editable.w_out(*key).device)
            for key in editable.matrices(layers)
        }
        end = editable.tokenizer.eos_token_id or 0
        for chunk in batches([case.question for case in asked], self.batch_size):
            some = [asked[place] for place in chunk]
            fed = feed(editable, [case.question for case in some], [case.said_tokens for case in some])
            said = [
                (row, fed.n_prompt - 1 + place, (*case.said_tokens, end)[place], 1.0 / len(own))
                for row, case in enumerate(some)
                for own in (places[case.question.id],)
                for place in own
            ]
            rows, columns, tokens, weights = (torch.tensor(part) for part in zip(*said, strict=True))

            def add(key: MatrixKey, activations: Tensor, pulls: Tensor, weights: Tensor = weights) -> None:
                pushes = activations * (pulls @ editable.w_out(*key).rows.detach().float().T)
                total[key] += weights.to(pushes.device) @ pushes

            with pushing(editable, layers, Spots(rows, columns), editable.directions(tokens), add):
                editable.model(**call_inputs(editable, fed))
        return {key: value / max(1, len(asked)) for key, value in total.items()}
