"""Watching a changed model answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from editkit.delta import Delta
from editkit.evaluate.metric import Observation
from editkit.evaluate.noise import noise
from editkit.evaluate.observe import captions, observe, unedited
from editkit.events import Advanced, Event, StageStarted, nobody
from editkit.model.changing import changed
from editkit.model.editable import Editable
from editkit.model.forward import log_probabilities
from editkit.model.generate import answers
from editkit.model.patching import patched
from editkit.neuron import Neuron, Neurons
from editkit.patch.file import Patch
from editkit.plan import Case, Question


@pytest.fixture
def cases(llama: Editable, ask: Callable[..., list[Question]]) -> list[Case]:
    """What the tiny model really says, as control, edit and control."""
    said = answers(llama, ask(llama), max_new_tokens=5)
    return [
        Case(question, role, answer.text, answer.tokens, (0,) if role == "edit" else ())  # type: ignore[arg-type]
        for question, answer, role in zip(ask(llama), said, ("control", "edit", "control"), strict=True)
    ]


def watch(
    editable: Editable, cases: list[Case], patch: Patch, drift: bool = True, tell: Any = nobody
) -> list[Observation]:
    return observe(editable, cases, patch, name="ask", max_new_tokens=5, batch_size=2, drift=drift, tell=tell)


def test_the_empty_patch_is_the_unedited_model(
    llama: Editable, cases: list[Case], random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    nothing = {layer: (n, delta * 0) for layer, (n, delta) in random_rows(llama, 0).items()}
    found = watch(llama, cases, patch_of(llama, nothing))
    assert [one.text for one in found] == [case.said for case in cases]
    for one, before in zip(found, unedited(cases), strict=True):
        assert one.divergence == pytest.approx(before.divergence, abs=1e-6)
    assert [len(one.divergence) for one in found] == [
        len(case.said_tokens) + 1 if case.role == "control" else 0 for case in cases
    ]


def test_drift_is_the_divergence_from_the_unedited_model(
    llama: Editable, cases: list[Case], random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    patch = patch_of(llama, random_rows(llama, 3))
    found = watch(llama, cases, patch)
    for case, one in zip(cases, found, strict=True):
        if case.role != "control":
            continue
        before = log_probabilities(llama, [case.question], [case.said_tokens])[0].double()
        with patched(llama.model, patch):
            after = log_probabilities(llama, [case.question], [case.said_tokens])[0].double()
        expected = torch.nn.functional.kl_div(after, before, log_target=True, reduction="none").sum(-1)
        assert one.divergence == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-5)
        assert max(one.divergence) > 0.01


def test_the_patched_model_answers(
    llama: Editable, cases: list[Case], random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    patch = patch_of(llama, random_rows(llama, 3, None, 20))
    with patched(llama.model, patch):
        expected = [a.text for a in answers(llama, [case.question for case in cases], max_new_tokens=5)]
    found = watch(llama, cases, patch, drift=False)
    assert [one.text for one in found] == expected
    assert expected != [case.said for case in cases]
    assert all(one.divergence == () for one in found)


def test_all_steps_that_were_announced_are_told(
    llama: Editable, cases: list[Case], random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> None:
    told: list[Event] = []
    watch(llama, cases, patch_of(llama, random_rows(llama, 1)), tell=told.append)
    total = next(one.total for one in told if isinstance(one, StageStarted))
    assert total == sum(one.steps for one in told if isinstance(one, Advanced)) == 5


def test_captions_are_what_the_model_says_with_the_delta_in_it(
    any_model: Editable, ask: Callable[..., list[Question]]
) -> None:
    told: list[Event] = []
    every = tuple(Neuron(layer, index) for layer in range(3) for index in range(40))
    neurons = Neurons(every, (0.0,) * len(every), "listed")

    def said(delta: Delta | None) -> list[str]:
        return captions(
            any_model,
            ask(any_model),
            delta,
            name="ask",
            max_new_tokens=5,
            batch_size=2,
            tell=told.append,
        )

    before = [answer.text for answer in answers(any_model, ask(any_model), max_new_tokens=5)]
    loud = noise(any_model, neurons, sigma=3.0, seed=0)
    with changed(any_model, loud):
        expected = [answer.text for answer in answers(any_model, ask(any_model), max_new_tokens=5)]
    assert said(None) == said(noise(any_model, neurons, sigma=0.0, seed=0)) == before
    assert said(loud) == expected != before
    assert said(None) == before
    total = sum(one.total or 0 for one in told if isinstance(one, StageStarted))
    assert total == sum(one.steps for one in told if isinstance(one, Advanced)) == 12
