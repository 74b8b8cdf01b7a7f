"""The increase in log-probability, against the definition worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from editkit.errors import ModelError
from editkit.events import nobody
from editkit.locate.log_prob_increase import LogProbIncrease
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.positions import source_positions
from editkit.probe.questions import question


def by_hand(llama: Editable, case: Case, at: int, layer: int) -> torch.Tensor:
    """log p(t | h + o_i w_i) - log p(t | h) for every neuron of a layer of Llama, `[d_mlp]`."""
    fed = feed(llama, [case.question], [case.said_tokens])
    seen: dict[str, Any] = {}
    block = llama.layers[layer]
    hooks = [
        block.post_attention_layernorm.register_forward_pre_hook(lambda m, a: seen.update(h=a[0])),
        block.mlp.down_proj.register_forward_pre_hook(lambda m, a: seen.update(o=a[0])),
    ]
    with torch.no_grad():
        llama.model(**call_inputs(llama, fed))
    for hook in hooks:
        hook.remove()
    column = fed.n_prompt - 1 + at
    h, o = seen["h"][0, column], seen["o"][0, column]

    def log_p(hidden: torch.Tensor) -> torch.Tensor:
        logits = llama.model.lm_head(llama.model.model.norm(hidden))
        return logits.log_softmax(-1)[..., case.said_tokens[at]]

    with torch.no_grad():
        return log_p(h + o[:, None] * block.mlp.down_proj.weight.T) - log_p(h)


def test_it_is_what_the_definition_says(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "umbrella")
    case = make_case(llama.tokenizer, question("I see"), " the umbrella")
    places = source_positions(llama.tokenizer, case, edit)
    assert len(places) > 1
    found = LogProbIncrease().scores(llama, EditPlan((edit,), (case,), 1), (0, 1, 2), nobody)[0]
    for layer in range(3):
        expected = torch.stack([by_hand(llama, case, at, layer) for at in places]).mean(0)
        assert torch.allclose(found[layer, None], expected, atol=1e-4)


def test_candidates_are_those_that_push_hardest_and_others_get_nothing(
    any_model: Editable,
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
) -> None:
    edit = make_edit(any_model.tokenizer, "gun")
    case = make_case(any_model.tokenizer, ask(any_model)[0], " a gun")
    plan = EditPlan((edit,), (case,), 1)
    whole = LogProbIncrease().scores(any_model, plan, (0, 1, 2), nobody)[0]
    few = LogProbIncrease(candidates=10).scores(any_model, plan, (0, 1, 2), nobody)[0]
    for key, values in few.items():
        tried = values.nonzero().flatten()
        assert 0 < len(tried) <= 10 * len(source_positions(any_model.tokenizer, case, edit))
        assert torch.allclose(values[tried], whole[key][tried], atol=1e-4)


def test_a_model_that_does_more_behind_its_layers_is_refused(
    tiny_checkpoint: Any, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    odd = open_model(ModelRef(id=str(tiny_checkpoint("llama"))))
    odd.model.register_forward_hook(lambda m, a, out: setattr(out, "logits", out.logits * 2.0))
    plan = EditPlan(
        (make_edit(odd.tokenizer, "gun"),), (make_case(odd.tokenizer, question("I see"), " a gun"),), 1
    )
    with pytest.raises(ModelError, match="no plain final norm and head"):
        LogProbIncrease().scores(odd, plan, (0,), nobody)
