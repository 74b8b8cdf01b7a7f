"""A run's material, small."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from editkit.neuron import Neuron
from editkit.page import CaseSet, Material, Written
from editkit.plan import Picture
from editkit.report import Criterion, Interval, Report, Row, Score, Value, Verdict, WordChange


def png(side: int = 64, colour: str = "teal") -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(encoded, "PNG")
    return encoded.getvalue()


def value(middle: float, spread: float = 0.05) -> Value:
    return Value(middle, Interval(middle - spread, middle + spread), 40)


ROW = Row(
    "c0", "held_out", 0, "Say it.", ("gun-01",), "a red gun", "a red bag", "a red gun", None, False, False
)


@pytest.fixture
def report() -> Report:
    scores = (
        Score("efficacy", value(0.9), value(0.0, 0.0), value(0.1), value(0.8), edit=0, group="asked"),
        Score("locality", value(0.8), value(1.0, 0.0), value(0.8), value(0.0), edit=0),
        Score("drift", value(0.06), edit=0, higher_is_better=False, unit="nats"),
        Score("chair_i", value(0.1), value(0.1), group="objects", higher_is_better=False),
    )
    rows = (ROW, replace(ROW, case="c1", role="control", edit=None, after="a red gun", ok=True))
    words = (WordChange("spoon", 12, 3, 12, 0, 9, 0.003, 0.01),)
    verdict = Verdict(False, (Criterion("efficacy", ">= 0.95", 0.9, False),), ("efficacy is 0.900",))
    return Report(scores, verdict, {"held_out": 1, "control": 1}, rows, ("a note",), {"asked": 12.0}, words)


@pytest.fixture
def material(report: Report) -> Material:
    return Material(
        "redact",
        "an edit of demo/scenes",
        report,
        labels={0: "suppress gun"},
        pictures={"gun-01": Picture("gun-01", png())},
        origin=[("base", "demo/scenes"), ("seed", "7")],
        sets=[CaseSet("control-cases", "control", 1, "0123456789abcdef")],
        changed=64,
        neurons=[Written(0, Neuron(1, 4), 3.0, (" gun", " pistol"))],
        figures={"layers.png": png(colour="gold"), "edit0_tokens.png": png(), "loss.png": png()},
        curves={"loss/target": [(0, 2.0), (1, 0.5), (2, 0.01)]},
        load="import editkit",
        undo="undo_patch(model)",
        run_id="0123456789abcdef",
    )
