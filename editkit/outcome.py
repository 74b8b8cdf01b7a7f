"""What the pipeline hands back: of an edit made, of one only planned, of neurons only looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.export.exported import Exported
from editkit.neuron import Neurons
from editkit.patch.file import Patch
from editkit.plan import EditPlan, PlannedEdit
from editkit.recipe import Recipe
from editkit.report import Report

if TYPE_CHECKING:
    from editkit.model.facts import Facts
    from editkit.model.memory import Load, Memory


@dataclass(frozen=True)
class Applied:
    """What `apply` did."""

    recipe: Recipe
    model: str
    neurons: Neurons
    report: Report
    patch_path: Path
    patch: Patch
    run_id: str | None
    experiment: str | None
    seconds: Mapping[str, float]
    exports: tuple[Exported, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.report.verdict.accepted


@dataclass(frozen=True)
class Planned:
    """What `apply` would do.

    Attributes:
        edits: with all word forms in the model's tokens.
        modules: (runtime name, name in the files, shape, dtype) of every tensor that holds a W_out.
        facts: what there is to know of the model without its weights.
        load: what the recipe asks of it; `memory` what that needs.
        plan: the cases and their roles, None where the model was not asked.
    """

    edits: tuple[PlannedEdit, ...]
    modules: tuple[tuple[str, str, tuple[int, ...], str], ...]
    facts: Facts
    load: Load
    memory: Memory
    resolved: str
    writes: tuple[str, ...]
    plan: EditPlan | None = None
