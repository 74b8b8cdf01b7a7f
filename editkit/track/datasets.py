"""A plan's cases as MLflow dataset inputs: equal cases have equal digests."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

from editkit.plan import Case, EditPlan

CASES_FILE: Final = "cases.json"
COLUMNS: Final = ("id", "prompt", "images", "said")


def names(plan: EditPlan) -> dict[str, tuple[str, str]]:
    """Role, or suite where there is one -> name and digest of the data set of its cases."""
    found: dict[str, list[Case]] = {}
    for case in plan.cases:
        found.setdefault(case.suite or case.role, []).append(case)
    return {sort: (_name(sort), _digest(tuple(cases))) for sort, cases in found.items()}


def inputs(plan: EditPlan, recipe_digest: str) -> list[dict[str, str]]:
    """One dataset for each role that has cases, and for each suite; its context is the role."""
    found = []
    for role, suite in sorted({(case.role, case.suite or "") for case in plan.cases}):
        cases = tuple(case for case in plan.of(role) if (case.suite or "") == suite)
        schema = [{"type": "string", "name": name, "required": True} for name in COLUMNS]
        found.append(
            {
                "name": _name(suite or role),
                "digest": _digest(cases),
                "source_type": "local",
                "source": json.dumps({"uri": CASES_FILE, "recipe_digest": recipe_digest}),
                "schema": json.dumps({"mlflow_colspec": schema}),
                "profile": json.dumps({"num_rows": len(cases), "num_elements": len(cases) * len(COLUMNS)}),
                "context": role,
            }
        )
    return found


def listing(plan: EditPlan) -> str:
    """All cases as JSON: what was asked, in which role, and what the unedited model said."""
    cases = [
        {
            "id": case.question.id,
            "role": case.role,
            "near": case.near,
            "edits": list(case.edits),
            "probe": case.probe,
            "suite": case.suite,
            "prompt": case.question.prompt,
            "images": [picture.name for picture in case.question.images],
            "said": case.said,
        }
        for case in plan.cases
    ]
    return json.dumps(cases, ensure_ascii=False, indent=1)


def _name(sort: str) -> str:
    return f"{sort.replace('_', '-')}-cases"


def _digest(cases: tuple[Case, ...]) -> str:
    """16 hex digits: MLflow keeps at most 36 characters."""
    return sha256("\n".join(sorted(case.question.id for case in cases)).encode()).hexdigest()[:16]
