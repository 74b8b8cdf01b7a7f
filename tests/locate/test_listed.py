"""Neurons that the recipe names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from editkit.errors import RecipeError, UsageError
from editkit.events import nobody
from editkit.locate import LOCALIZERS
from editkit.locate.listed import Listed
from editkit.methods import build
from editkit.model.editable import Editable
from editkit.neuron import Neuron
from editkit.plan import EditPlan, PlannedEdit


def test_they_are_kept_as_named_once_each_for_every_edit(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    plan = EditPlan((make_edit(llama.tokenizer, "gun"), make_edit(llama.tokenizer, "cup", number=1)), (), 0)
    found = Listed(neurons=("L2.N3", "L0.N1", "L2.N3")).locate(llama, plan, (0,), 1, nobody)
    assert [part.items for part in found] == [(Neuron(2, 3), Neuron(0, 1))] * 2


def test_a_name_of_another_form_is_a_problem_of_the_recipe() -> None:
    with pytest.raises(RecipeError, match=r"locate\.neurons\[1\]: 'foo' is no neuron"):
        build(LOCALIZERS, "listed", {"neurons": ["L2.N3", "foo"]}, "locate")


@pytest.mark.parametrize("name", ["L9.N1", "L0.N48", "L0.E1.N1"])
def test_a_neuron_that_is_not_there(llama: Editable, name: str) -> None:
    with pytest.raises(UsageError):
        Listed(neurons=(name,)).check(llama)
    with pytest.raises(UsageError):
        Listed(neurons=(name,)).locate(llama, EditPlan((), (), 0), (0,), 1, nobody)
