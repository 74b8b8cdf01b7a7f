"""`editkit plan`: what `apply` would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from editkit.outcome import Planned


@click.command()
@recipe_argument
@talking
@click.pass_context
def plan(context: click.Context, recipe: Path, overrides: tuple[str, ...]) -> int:
    """Show what apply would do; change nothing.

    The resolved recipe, the written forms of the words, how many cases have which role, the modules
    and their shapes, and what would be written.
    """
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    from editkit import pipeline

    with output.working() as tell:
        planned = pipeline.dry_run(asked, tell=tell)
    if output.json:
        output.document({"recipe": asked.name, "model": asked.model.id, **_document(planned)})
    elif not output.quiet:
        _show(output, planned)
    return 0


def _document(planned: Planned) -> dict[str, Any]:
    return {
        "status": "planned",
        "edits": [
            {
                "number": edit.number,
                "kind": edit.kind,
                "when": edit.when,
                "sources": edit.sources,
                "target": edit.target,
                "prompt": edit.prompt,
                "forms": [vars(form) for form in edit.forms],
            }
            for edit in planned.plan.edits
        ],
        "asked": planned.plan.asked,
        "cases": dict(planned.plan.counts()),
        "modules": [
            {"name": name, "tensor": tensor, "shape": shape, "dtype": dtype}
            for name, tensor, shape, dtype in planned.modules
        ],
        "resolved": planned.resolved,
        "writes": planned.writes,
    }


def _show(output: Output, planned: Planned) -> None:
    from rich.text import Text

    words = _table("Written forms", "edit", "kind", "written", "tokens", "instead")
    for edit in planned.plan.edits:
        for form in edit.forms:
            splits = {"spaced": len(form.spaced), "bare": len(form.bare)}
            tokens = ", ".join(f"{count} {kind}" for kind, count in splits.items() if count)
            instead = Text(form.instead or "the next best")
            words.add_row(str(edit.number), edit.kind, Text(form.text), tokens, instead)
    cases = _table(f"Of {planned.plan.asked} inputs asked", "role", "cases")
    for role, count in planned.plan.counts().items():
        cases.add_row(role, str(count))
    modules = _table("May change", "module", "tensor in the files", "shape", "dtype")
    for name, tensor, shape, dtype in planned.modules:
        modules.add_row(name, tensor, " x ".join(map(str, shape)), str(dtype))
    output.show(Text(planned.resolved), words, cases, modules)
    output.show(*(Text(f"would write {place}", overflow="fold") for place in planned.writes))


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left")
