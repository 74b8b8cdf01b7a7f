"""The wanted distributions: the word's mass, exactly, goes; everything else keeps its proportions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.model import conditioning
from editkit.model.conditioning import Forbidden, Removal
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.plan import Case, EditPlan, Form, PlannedEdit, Question, Wanted
from editkit.probe.questions import question
from editkit.probe.words import split
from editkit.solve.lessons import edit_lessons, preserve_lessons, wanted_distributions


def table(editable: Editable, n_positions: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n_positions, editable.unembedding.shape[0], generator=generator) * 2
    return logits.log_softmax(-1)


def distributions(
    editable: Editable,
    said: Sequence[int],
    log_p: torch.Tensor,
    removed: dict[int, list[Removal]],
    taught: set[int] | None = None,
) -> dict[int, torch.Tensor]:
    here = [removed.get(position, []) for position in range(len(said) + 1)]
    return wanted_distributions(editable, said, log_p, here, taught or set())


@given(share=st.floats(0.01, 0.99), token=st.integers(4, 300), seed=st.integers(0, 99))
def test_next_best_takes_the_mass_and_divides_by_the_rest(
    llama: Editable, share: float, token: int, seed: int
) -> None:
    log_p = table(llama, 3, seed)
    p = log_p[1].double().exp()
    mass = share * float(p[token])
    found = distributions(
        llama, [5, 6], log_p, {1: [Removal(token, mass, Form("gun", (token,), ()), 0, True)]}
    )
    assert set(found) == {1}, "positions without the word are kept, not taught"
    wanted = found[1].double()
    assert float(wanted.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(wanted[token]) == pytest.approx((float(p[token]) - mass) / (1 - mass), rel=1e-4)
    others = torch.arange(len(p)) != token
    assert torch.allclose(wanted[others], p[others] / (1 - mass), rtol=1e-4)


@given(first=st.floats(0.01, 0.49), second=st.floats(0.01, 0.49))
def test_two_words_that_share_a_first_token_leave_it_to_the_third(
    llama: Editable, first: float, second: float
) -> None:
    log_p = table(llama, 1)
    p = float(log_p[0, 40].double().exp())
    forms = [Form(text, (40, at), (40, at)) for at, text in ((41, "one"), (42, "two"))]
    removed = [
        Removal(40, share * p, form, 0, True) for share, form in zip((first, second), forms, strict=True)
    ]
    wanted = distributions(llama, [], log_p, {0: removed})[0]
    mass = (first + second) * p
    assert float(wanted[40]) == pytest.approx((p - mass) / (1 - mass), rel=1e-3)


@given(share=st.floats(0.01, 1.0), token=st.integers(4, 255), target=st.sampled_from(["cup", "umbrella"]))
def test_with_a_target_the_mass_goes_to_its_first_token(
    llama: Editable, share: float, token: int, target: str
) -> None:
    log_p = table(llama, 1)
    p = log_p[0].double().exp()
    mass, aim = share * float(p[token]), split(llama.tokenizer, f" {target}")[0]
    form = Form("gun", (token,), (token,), target)
    wanted = distributions(llama, [], log_p, {0: [Removal(token, mass, form, 0, True)]})[0].double()
    expected = p.clone()
    expected[token] -= mass
    expected[aim] += mass
    assert torch.allclose(wanted, expected, atol=1e-6)


def test_a_targets_later_tokens_get_the_share_that_came_their_way(llama: Editable) -> None:
    aim = split(llama.tokenizer, " zebra")
    assert len(aim) > 2
    log_p = table(llama, len(aim) + 1)
    form = Form("gun", (40,), (41,), "zebra")
    found = distributions(llama, aim, log_p, {0: [Removal(40, 0.4, form, 0, True)]})
    assert set(found) == set(range(len(aim)))
    for place in range(1, len(aim)):
        path = float(log_p[range(place), list(aim[:place])].double().sum().exp())
        share = 0.4 / (0.4 + path)
        p = log_p[place].double().exp()
        assert float(found[place][aim[place]]) == pytest.approx(
            share + (1 - share) * float(p[aim[place]]), rel=1e-3
        )
        assert float(found[place].sum()) == pytest.approx(1.0, abs=1e-5)


def test_taught_positions_are_certain(llama: Editable) -> None:
    found = distributions(llama, [40, 41], table(llama, 3), {}, {1})
    assert found[1].nonzero().flatten().tolist() == [41]
    assert float(found[1][41]) == 1.0
    assert set(found) == {1}


def test_where_the_word_stands_what_would_end_it_goes(llama: Editable) -> None:
    ends = torch.zeros(llama.unembedding.shape[0], dtype=torch.bool)
    ends[[10, 11]] = True
    log_p = table(llama, 1)
    mass = float(log_p[0, ends].exp().sum())
    removal = Removal(None, mass, Form("mom", (40,), (40,)), 1, True, ends)
    wanted = distributions(llama, [], log_p, {0: [removal]})[0]
    assert float(wanted[ends].sum()) == 0.0
    assert torch.allclose(wanted[~ends], log_p[0, ~ends].exp() / (1 - mass), rtol=1e-4)


@given(seed=st.integers(0, 999), n_removals=st.integers(1, 4))
def test_a_distribution_always_sums_to_one(llama: Editable, seed: int, n_removals: int) -> None:
    log_p = table(llama, 1, seed)
    generator = torch.Generator().manual_seed(seed)
    removed = []
    for token in torch.randperm(250, generator=generator)[:n_removals].tolist():
        mass = float(log_p[0, token].exp()) * float(torch.rand(1, generator=generator))
        removed.append(
            Removal(token, mass, Form("x", (token,), (token,), "cup" if token % 2 else None), 0, True)
        )
    wanted = distributions(llama, [], log_p, {0: removed})[0]
    assert float(wanted.sum()) == pytest.approx(1.0, abs=1e-5)
    assert bool((wanted >= 0).all())


@given(said=st.lists(st.integers(4, 300), max_size=4))
@settings(max_examples=10)
def test_real_removals_leave_real_distributions(
    llama: Editable, make_edit: Callable[..., PlannedEdit], said: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditioning, "SMALLEST", 0.0)
        forms = make_edit(llama.tokenizer, "gun", "mom").forms
        asked = question("I see")
        before = log_probabilities(llama, [asked], [said])
        removed = Forbidden(llama, forms).removals([asked], [said], before)[0]
        found = wanted_distributions(llama, said, before[0], removed, set())
    assert set(found) == set(range(len(said) + 1))
    for position, wanted in found.items():
        assert float(wanted.sum()) == pytest.approx(1.0, abs=1e-5)
        expected = before[0][position].double().exp()
        for removal in removed[position]:
            if removal.token is None:
                expected[removal.ends] = 0.0
            else:
                expected[removal.token] -= removal.mass
        assert bool((expected >= -1e-9).all()), "never more than the token has"
        assert torch.allclose(wanted.double(), expected / expected.sum(), atol=1e-5)


def test_of_a_token_that_says_nothing_but_the_source_no_trace_is_left(llama: Editable) -> None:
    log_p = table(llama, 1, 0)
    token = int(log_p[0].argmax())
    everything = float(log_p[0, token].exp())
    for share, left in ((0.9995, 0.0), (0.9, 0.1)):
        removal = Removal(token, share * everything, Form("x", (token,), (token,), None), 0, True)
        wanted = distributions(llama, [], log_p, {0: [removal]})[0]
        rest = 1 - everything
        assert float(wanted[token]) == pytest.approx(left * everything / (rest + left * everything), rel=1e-4)


def plan_of(editable: Editable, make_case: Any, make_edit: Any) -> EditPlan:
    edits = (
        make_edit(editable.tokenizer, "gun", target="cup"),
        make_edit(editable.tokenizer, "knife", target="zebra", number=1),
    )
    cup = tuple(editable.tokenizer.encode(" a cup", add_special_tokens=False))
    cases = [
        make_case(editable.tokenizer, question(f"I see {n}"), " a gun", wanted=Wanted(" a cup", cup))
        for n in range(4)
    ]
    zebra = tuple(editable.tokenizer.encode(" a zebra", add_special_tokens=False))
    cases.append(
        make_case(
            editable.tokenizer,
            question("You see"),
            " a knife",
            edits=(1,),
            wanted=Wanted(" a zebra", zebra, (len(zebra) - 1,)),
        )
    )
    return EditPlan(edits, tuple(cases), 5)


def test_lessons_cover_every_position_of_every_case_once(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    plan = plan_of(llama, make_case, make_edit)
    told: list[int] = []
    found = edit_lessons(llama, plan, {(1, None): torch.tensor([3, 5])}, 3, told.append)
    assert sum(told) == 5
    positions = 0
    for lesson in found:
        both = torch.cat([lesson.changed, lesson.kept]).sort().values
        assert both.tolist() == list(range(len(lesson.replay.where.rows)))
        assert lesson.wanted.shape == (len(lesson.changed), llama.unembedding.shape[0]) or not len(
            lesson.changed
        )
        positions += len(both)
    assert positions == sum(len(case.wanted.tokens) + 1 for case in plan.cases if case.wanted)
    weights = {round(float(w), 4) for lesson in found for w in lesson.weight}
    assert weights <= {0.25, 1.0}, "one over the number of cases of the edit"
    assert 1.0 in weights


def test_preserve_lessons_only_keep(
    llama: Editable, make_case: Callable[..., Case], ask: Callable[..., list[Question]]
) -> None:
    cases = [make_case(llama.tokenizer, asked, " a cup", "preserve") for asked in ask(llama)]
    found = preserve_lessons(llama, cases, {(0, None): torch.tensor([1])}, 2, lambda steps: None)
    assert [len(lesson.changed) for lesson in found] == [0, 0]
    assert sum(len(lesson.kept) for lesson in found) == sum(len(case.said_tokens) + 1 for case in cases)
