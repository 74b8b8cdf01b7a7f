"""What every localizer keeps to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.errors import ModelError
from editkit.events import nobody
from editkit.locate import LOCALIZERS
from editkit.locate.localizer import Localizer, Scoring
from editkit.methods import build, load
from editkit.model.editable import Editable
from editkit.plan import EditPlan

ROOM = Path(import_module("editkit.locate").__file__ or "").parent
# Those that need no twins, with settings that ask every case for everything.
PLAIN: dict[str, dict[str, Any]] = {
    "contribution": {},
    "activation": {},
    "gradient": {},
    "integrated_gradients": {"steps": 4},
    "log_prob_increase": {},
    "activation_difference": {"against": "others"},
}


def scores(editable: Editable, plan: EditPlan, name: str, **more: Any) -> Any:
    made = build(LOCALIZERS, name, {**PLAIN[name], **more}, "locate")
    return made.scores(editable, plan, (0, 1, 2), nobody)


def alike(one: Any, other: Any, bound: float = 1e-4) -> bool:
    return all(torch.allclose(one[key], other[key], atol=bound, rtol=1e-3) for key in one)


def test_the_table_knows_every_localizer_by_its_name() -> None:
    classes = {name: load(LOCALIZERS, name, "") for name in LOCALIZERS}
    assert all(issubclass(one, Localizer) and one.name == name for name, one in classes.items())
    files = {path.stem for path in ROOM.glob("*.py") if "(Scoring)" in path.read_text()}
    assert {*files, "listed"} == {*LOCALIZERS}


@pytest.mark.parametrize("name", PLAIN)
def test_every_neuron_has_a_score_that_does_not_depend_on_the_batch(
    any_model: Editable, plan_on: Callable[[Editable], EditPlan], name: str
) -> None:
    plan = plan_on(any_model)
    together, alone = scores(any_model, plan, name), scores(any_model, plan, name, batch_size=1)
    assert len(together) == 2
    for one, other in zip(together, alone, strict=True):
        assert {key: len(values) for key, values in one.items()} == {
            place.key: place.shape[0] for place in any_model.w_outs
        }
        assert all(torch.isfinite(values).all() for values in one.values())
        # What the last layer emits over a picture reaches no answer, so a gradient there is 0.
        assert sum(float(values.abs().sum()) for values in one.values()) > 0
        assert alike(one, other)


@pytest.mark.parametrize("name", PLAIN)
def test_concepts_are_found_together_as_each_is_alone(
    any_model: Editable, plan_on: Callable[[Editable], EditPlan], name: str
) -> None:
    plan = plan_on(any_model)
    both = scores(any_model, plan, name)
    for place, edit in enumerate(plan.edits):
        own = replace(edit, number=0)
        cases = tuple(
            replace(case, edits=(0,) if edit.number in case.edits else ()) if case.role == "edit" else case
            for case in plan.cases
        )
        # A case that says another source is one of the others still.
        alone = scores(any_model, EditPlan((own,), cases, 4), name)
        if name != "activation_difference":
            assert alike(both[place], alone[0])


@pytest.mark.parametrize("name", PLAIN)
def test_a_ranking_is_signed_and_of_the_layers_asked_for(
    llama: Editable, plan_on: Callable[[Editable], EditPlan], name: str
) -> None:
    made: Scoring = build(LOCALIZERS, name, PLAIN[name], "locate")
    for found in made.locate(llama, plan_on(llama), (1, 2), "all", nobody):
        assert len(found) == 96
        assert {neuron.layer for neuron in found} == {1, 2}
        assert list(found.scores) == sorted(found.scores, reverse=True)
        assert found.scores[0] > 0 > found.scores[-1]
        assert found.method == name


@pytest.mark.parametrize("name", ["gradient", "integrated_gradients", "two_stage"])
def test_a_packed_model_is_refused_where_gradients_are_needed(
    llama: Editable, monkeypatch: pytest.MonkeyPatch, plan_on: Callable[[Editable], EditPlan], name: str
) -> None:
    packed = pytest.importorskip("bitsandbytes")
    place = llama.w_out(1)
    weight = packed.nn.Int8Params(place.module.weight.detach().clone(), requires_grad=False)
    weight.data = weight.data.to(torch.int8)
    monkeypatch.setitem(place.module._parameters, "weight", weight)
    with pytest.raises(ModelError, match=rf"{name} differentiates.*model\.load_in"):
        build(LOCALIZERS, name, {}, "locate").check(llama)
