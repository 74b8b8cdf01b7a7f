"""A plan's cases as MLflow dataset inputs: equal cases have equal digests."""

from __future__ import annotations

import json
from typing import Final

from editkit.page.sets import case_sets, digest, set_name
from editkit.plan import Case, EditPlan

CASES_FILE: Final = "cases.json"
COLUMNS: Final = ("id", "prompt", "images", "said")


def names(plan: EditPlan) -> dict[str, tuple[str, str]]:
    """Role, or suite where there is one -> name and digest of the data set of its cases."""
    found: dict[str, list[Case]] = {}
    for case in plan.cases:
        found.setdefault(case.suite or case.role, []).append(case)
    return {sort: (set_name(sort), digest(cases)) for sort, cases in found.items()}


def inputs(plan: EditPlan, recipe_digest: str) -> list[dict[str, str]]:
    """One dataset for each role that has cases, and for each suite; its context is the role."""
    schema = [{"type": "string", "name": name, "required": True} for name in COLUMNS]
    return [
        {
            "name": one.name,
            "digest": one.digest,
            "source_type": "local",
            "source": json.dumps({"uri": CASES_FILE, "recipe_digest": recipe_digest}),
            "schema": json.dumps({"mlflow_colspec": schema}),
            "profile": json.dumps({"num_rows": one.count, "num_elements": one.count * len(COLUMNS)}),
            "context": one.role,
        }
        for one in case_sets(plan)
    ]


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
