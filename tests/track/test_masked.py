"""Nothing gets into a run that the guard has not seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from editkit.neuron import Neurons
from editkit.plan import EditPlan, PlannedEdit
from editkit.privacy import Masks
from editkit.recipe import parse_recipe
from editkit.report import Report
from tests.privacy.leaving import blank, found
from tests.track import whole

NAMES = ("plan", "report", "edit", "text", "document", "resolved")


def test_the_guard_alone_hides_words(
    store: str,
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    patch_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in NAMES:
        monkeypatch.setattr(Masks, name, lambda masks, given: given)
    monkeypatch.setattr(Masks, "recipe", lambda masks: "suppress: gun")
    recipe = parse_recipe(
        f"""
version: 1
name: redact
model: demo/scenes
probe: {{prompts: ["A gun."]}}
edits: [{{suppress: gun}}]
track: {{experiment: trial, uri: "{store}", privacy: {{tracking: omit}}}}
"""
    )
    whole.write(recipe, plan, edit, neurons, report, patch_path)
    assert found(tmp_path) == {}
    assert all(map(blank, tmp_path.rglob("table_images/**/*.png")))
