"""A small edit from its plan to its report."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from editkit.neuron import Neuron, Neurons
from editkit.plan import Case, EditPlan, Form, Picture, PlannedEdit, Question, Role
from editkit.recipe import Recipe, parse_recipe
from editkit.report import Criterion, Interval, Report, Row, Score, Value, Verdict


@pytest.fixture
def recipe(store: str) -> Recipe:
    return parse_recipe(
        f"""
version: 1
name: redact
model: demo/scenes
probe: {{prompts: ["Say it."]}}
edits: [{{suppress: gun}}]
track: {{experiment: trial, uri: "{store}"}}
"""
    )


@pytest.fixture
def picture() -> Picture:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(encoded, "PNG")
    return Picture("gun-01", encoded.getvalue())


@pytest.fixture
def edit() -> PlannedEdit:
    return PlannedEdit(0, "suppress", "suppress a word", ("gun",), None, (Form("gun", (7,), (8,)),))


@pytest.fixture
def plan(picture: Picture, edit: PlannedEdit) -> EditPlan:
    roles: tuple[Role, ...] = ("edit", "edit", "held_out", "control")
    cases = tuple(
        Case(Question(f"q{at}", f"g{at}", "Say it.", (picture,)), role, "a gun", (7,), (0,))
        for at, role in enumerate(roles)
    )
    return EditPlan((edit,), cases, asked=12)


@pytest.fixture
def neurons() -> Neurons:
    return Neurons((Neuron(1, 4), Neuron(0, 2), Neuron(1, 0)), (3.0, 2.0, 0.5), "contribution")


def value(middle: float) -> Value:
    return Value(middle, Interval(middle - 0.05, middle + 0.05), 40)


def report_of(*, accepted: bool) -> Report:
    reached = 0.97 if accepted else 0.5
    efficacy = Score("efficacy", value(reached), value(0.0), value(0.1), value(reached - 0.1), edit=0)
    drift = Score("drift", value(0.06), edit=0, higher_is_better=False, unit="nats")
    criterion = Criterion("efficacy", ">= 0.95", reached, accepted)
    reasons = () if accepted else ("efficacy is 0.5, and at least 0.95 was asked",)
    rows = tuple(
        Row(f"c{at}", "held_out", 0, "Say it.", ("gun-01",), "a gun", said, "a gun", "a bag", False, ok)
        for at, (said, ok) in enumerate([("a bag", True), ("a <b>gun</b> | here", False)])
    )
    return Report(
        (efficacy, drift),
        Verdict(accepted, (criterion,), reasons),
        {"edit": 2, "held_out": 1},
        rows,
        ("20 cases are few",),
        {"row norm ratio": 1.5},
    )


@pytest.fixture
def report() -> Report:
    return report_of(accepted=True)


@pytest.fixture
def rejected() -> Report:
    return report_of(accepted=False)
