"""The default solver as a whole, on tiny models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from editkit.delta import Delta
from editkit.errors import SolveError
from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.hooks import adding
from editkit.neuron import Neuron, Neurons
from editkit.plan import EditPlan, Wanted
from editkit.probe.questions import question
from editkit.probe.words import split
from editkit.solve.gradient import Gradient

ITEMS = tuple(Neuron(layer, index) for layer in (0, 1, 2) for index in (2, 9, 21, 33))
CHOSEN = Neurons(ITEMS, (0.0,) * len(ITEMS), "listed")


@pytest.fixture
def plan(tiny: Callable[..., Editable], make_case: Any, make_edit: Any) -> EditPlan:
    """Rewrites: what is wanted there does not depend on what a random model happens to say."""
    tokenizer = tiny("llama").tokenizer
    aim = split(tokenizer, " cup")
    wanted = Wanted(" cup", aim, tuple(range(len(aim))))
    edit = make_edit(tokenizer, "gun", target="cup", kind="rewrite", prompt="I see a")
    cases = [make_case(tokenizer, question("I see a"), " gun", wanted=wanted)]
    cases += [
        make_case(tokenizer, question(f"no {n}"), " a fork", "preserve", near=n % 2 == 0) for n in range(4)
    ]
    return EditPlan((edit,), tuple(cases), 5)


def solve(editable: Editable, plan: EditPlan, **settings: Any) -> Delta:
    return Gradient(**{"steps": 25, "lr": 0.3, **settings}).solve(editable, plan, CHOSEN, seed=0, tell=nobody)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_wanted_word_becomes_likelier(tiny: Callable[..., Editable], plan: EditPlan, family: str) -> None:
    editable = tiny(family)
    case = plan.of("edit")[0]
    assert case.wanted is not None
    delta = solve(editable, plan, kl_weight=0.01)
    rows = {(p.layer, p.expert): (torch.tensor(p.neurons), torch.from_numpy(p.rows)) for p in delta.layers}
    before = log_probabilities(editable, [case.question], [case.wanted.tokens])[0]
    with adding(editable, rows):
        after = log_probabilities(editable, [case.question], [case.wanted.tokens])[0]
    token = case.wanted.tokens[0]
    assert float(after[0, token]) > float(before[0, token]) + 0.5


def test_only_chosen_neurons_and_all_of_them_are_in_the_delta(llama: Editable, plan: EditPlan) -> None:
    delta = solve(llama, plan, steps=2)
    assert delta.neurons() == tuple(sorted(ITEMS, key=lambda n: (n.layer, n.index)))
    assert all(part.rows.dtype == np.float32 for part in delta.layers)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("max_ratio", [0.02, 1.0])
def test_the_norm_bound_holds_in_the_files_dtype(
    tiny: Callable[..., Editable],
    plan: EditPlan,
    patch_of: Callable[..., Any],
    dtype: str,
    max_ratio: float,
) -> None:
    editable = tiny("llama", dtype)
    delta = solve(editable, plan, max_ratio=max_ratio, steps=8)
    rows = {(p.layer, p.expert): (torch.tensor(p.neurons), torch.from_numpy(p.rows)) for p in delta.layers}
    for part in patch_of(editable, rows).to_delta().layers:
        norms = editable.row_norms(part.layer)[list(part.neurons)].numpy()
        assert (np.linalg.norm(part.rows, axis=1) <= max_ratio * norms * (1 + 1e-3)).all()


def test_without_a_bound_rows_may_go_further(llama: Editable, plan: EditPlan) -> None:
    def longest(delta: Delta) -> float:
        return max(
            float((np.linalg.norm(p.rows, axis=1) / llama.row_norms(p.layer)[list(p.neurons)].numpy()).max())
            for p in delta.layers
        )

    assert longest(solve(llama, plan, max_ratio=0.1)) <= 0.1 * (1 + 1e-3)
    assert longest(solve(llama, plan, max_ratio=None)) > 0.2


def test_equal_seeds_give_equal_bits(llama: Editable, plan: EditPlan) -> None:
    first, second = (solve(llama, plan, steps=4) for _ in range(2))
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(first.layers, second.layers, strict=True))


def test_nothing_to_solve_on(llama: Editable, plan: EditPlan) -> None:
    none = EditPlan(plan.edits, plan.of("preserve"), 4)
    with pytest.raises(SolveError, match="nothing to solve"):
        solve(llama, none)
    with pytest.raises(SolveError, match="nothing to solve"):
        Gradient().solve(llama, plan, Neurons((), (), "listed"), seed=0, tell=nobody)


def test_without_preserve_cases_it_still_solves(llama: Editable, plan: EditPlan) -> None:
    alone = EditPlan(plan.edits, plan.of("edit"), 1)
    assert len(solve(llama, alone, steps=2, drift_weight=1.0).neurons()) == len(ITEMS)
