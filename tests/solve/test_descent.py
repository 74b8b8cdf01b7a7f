"""The descent: inside its bounds at every step, and downhill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from editkit.errors import SolveError
from editkit.events import Event, Measured, nobody
from editkit.model.editable import Editable
from editkit.model.hooks import recording
from editkit.neuron import MatrixKey
from editkit.plan import Case, Question
from editkit.probe.questions import question
from editkit.solve import descent
from editkit.solve.descent import Change, descend, losses, second_moments
from editkit.solve.lessons import Lesson, preserve_lessons

PLACES: dict[MatrixKey, torch.Tensor] = {(0, None): torch.tensor([1, 7, 30]), (2, None): torch.tensor([4])}


def changes(editable: Editable, ratio: float) -> dict[MatrixKey, Change]:
    found = {}
    for key, neurons in PLACES.items():
        rows = editable.w_out(*key).rows.detach()[neurons].float()
        k = len(neurons)
        zero = torch.zeros_like(rows, requires_grad=True)
        found[key] = Change(neurons, rows, ratio * rows.norm(dim=1), zero, torch.zeros(k, k))
    return found


def lesson(editable: Editable, case: Case, token: int) -> Lesson:
    """Wants one token, for certain, at the case's first position."""
    record = preserve_lessons(editable, [case], PLACES, 4, lambda steps: None)[0].replay
    wanted = torch.zeros(1, editable.unembedding.shape[0])
    wanted[0, token] = 1.0
    kept = torch.arange(1, len(record.where.rows))
    before = record.before()[:1]
    return Lesson(
        record, torch.tensor([0]), wanted, before > before[:, token : token + 1], torch.ones(1), kept
    )


@pytest.fixture
def lessons(llama: Editable, make_case: Callable[..., Case]) -> list[Lesson]:
    cases = [make_case(llama.tokenizer, question(f"I see {n}"), " a gun") for n in range(2)]
    return [lesson(llama, case, 40) for case in cases]


def run(lessons: list[Lesson], made: dict[MatrixKey, Change], tell: Any = nobody, **others: Any) -> None:
    settings: dict[str, Any] = {
        "steps": 12,
        "lr": 0.5,
        "kl_weight": 0.1,
        "drift_weight": 0.0,
        "margin": 1.0,
        "stop_at": 0.0,
        "seed": 0,
    }
    descend(lessons, [], made, tell=tell, **{**settings, **others})


@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_the_bound_holds_after_every_step(
    llama: Editable, lessons: list[Lesson], ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = changes(llama, ratio)
    seen: list[float] = []
    plain = descent.losses

    def watched(one: Lesson, some: Any, margin: float) -> Any:
        seen.extend(float((c.delta.detach().norm(dim=1) / c.bound).max()) for c in some.values())
        return plain(one, some, margin)

    monkeypatch.setattr(descent, "losses", watched)
    run(lessons, made)
    seen += [float((c.delta.detach().norm(dim=1) / c.bound).max()) for c in made.values()]
    assert len(seen) == 2 * 13
    assert max(seen) <= 1 + 1e-5
    if ratio == 0.05:
        assert max(seen) > 0.99, "a tight bound is met"


def test_the_target_loss_falls(llama: Editable, lessons: list[Lesson]) -> None:
    told: list[Event] = []
    run(lessons, changes(llama, 5.0), told.append, steps=80)
    curve = [one.value for one in told if isinstance(one, Measured) and one.key == "loss/target"]
    assert len(curve) == 80
    assert curve[-1] < 0.5 * curve[0]
    keys = {one.key for one in told if isinstance(one, Measured)}
    assert keys == {"loss/target", "loss/margin", "loss/preserve", "loss/drift"}


def test_a_zero_change_loses_nothing_but_the_target(llama: Editable, lessons: list[Lesson]) -> None:
    found = losses(lessons[0], changes(llama, 1.0), 1.0)
    before = lessons[0].replay.before()[0]
    assert found.target.item() == pytest.approx(-before[40].item(), rel=1e-4)
    assert found.margin.item() == pytest.approx(1.0 + (before.max() - before[40]).item(), rel=1e-4)
    assert found.kept.item() == pytest.approx(0.0, abs=1e-5)
    assert found.count == len(lessons[0].kept)


def test_the_margin_makes_the_wanted_token_lead(llama: Editable, lessons: list[Lesson]) -> None:
    """A wanted distribution that hardly prefers its token is not enough for greedy decoding."""
    spread = []
    for one in lessons:
        before = one.replay.before()[:1]
        first, second = before.topk(2, dim=1).indices[0].tolist()
        wanted = before.exp()
        wanted[0, first], wanted[0, second] = before.exp()[0, second] * 0.99, before.exp()[0, first]
        spread.append(replace(one, wanted=wanted, lost=before > before[:, second : second + 1]))
    leads = []
    for margin in (0.0, 2.0):
        made = changes(llama, 5.0)
        run(spread, made, margin=margin, steps=60, kl_weight=0.0)
        rows = {key: (change.neurons, change.delta.detach()) for key, change in made.items()}
        best, rest = zip(*(one.replay.logits(rows)[0].topk(2).values.tolist() for one in spread), strict=True)
        leads.append(min(a - b for a, b in zip(best, rest, strict=True)))
        says = [int(one.replay.logits(rows)[0].argmax()) for one in spread]
        if margin:
            assert says == [int(one.wanted.argmax()) for one in spread]
    assert leads[1] > leads[0] + 0.3


def test_it_stops_when_the_target_stays_low(llama: Editable, lessons: list[Lesson]) -> None:
    told: list[Event] = []
    run(lessons, changes(llama, 5.0), told.append, steps=60, stop_at=1e9)
    assert len([one for one in told if isinstance(one, Measured) and one.key == "loss/target"]) == 4


def test_equal_seeds_give_equal_bits(llama: Editable, lessons: list[Lesson]) -> None:
    first, second = changes(llama, 1.0), changes(llama, 1.0)
    run(lessons, first)
    run(lessons, second)
    assert all(torch.equal(first[key].delta, second[key].delta) for key in first)


def test_a_loss_that_is_no_number_is_told(llama: Editable, lessons: list[Lesson]) -> None:
    broken = [replace(one, wanted=one.wanted * float("nan")) for one in lessons]
    with pytest.raises(SolveError, match="at step 0: lower"):
        run(broken, changes(llama, 1.0))


def test_the_models_weights_stay(llama: Editable, lessons: list[Lesson]) -> None:
    before = {name: weight.clone() for name, weight in llama.model.named_parameters()}
    run(lessons, changes(llama, 1.0))
    assert all(torch.equal(before[name], weight) for name, weight in llama.model.named_parameters())
    assert all(weight.grad is None for weight in llama.model.parameters())


def test_second_moments_are_means_over_the_asked_positions(
    any_model: Editable, ask: Callable[..., list[Question]], make_case: Callable[..., Case]
) -> None:
    cases = [make_case(any_model.tokenizer, asked, " a cup", "preserve") for asked in ask(any_model)]
    kept = preserve_lessons(any_model, cases, PLACES, 2, lambda steps: None)
    found = second_moments(any_model, kept, PLACES)
    for key, neurons in PLACES.items():
        collected: list[torch.Tensor] = []
        for one in kept:
            where = one.replay.where

            def watch(
                at: MatrixKey,
                seen: torch.Tensor,
                where: Any = where,
                key: MatrixKey = key,
                neurons: torch.Tensor = neurons,
                collected: list[torch.Tensor] = collected,
            ) -> None:
                if at == key:
                    collected.append(seen[where.rows, where.columns][:, neurons])

            with recording(any_model, watch), torch.no_grad():
                one.replay.logits({}, shortcut=False)
        rows = torch.cat(collected)
        assert len(rows) == sum(len(case.said_tokens) + 1 for case in cases)
        assert torch.allclose(found[key], rows.T @ rows / len(rows), rtol=1e-3, atol=1e-5)
        assert torch.allclose(found[key], found[key].T, atol=1e-5)
