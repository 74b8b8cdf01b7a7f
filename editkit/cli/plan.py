"""`editkit plan`: what `apply` would do, without doing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import read_recipe, recipe_argument, talking
from editkit.cli.output import Output, size

if TYPE_CHECKING:
    from rich.table import Table

    from editkit.outcome import Planned
    from editkit.recipe import Recipe


@click.command()
@recipe_argument
@click.option("--ask", is_flag=True, help="Also load the model, ask it everything, and count the cases.")
@talking
@click.pass_context
def plan(context: click.Context, recipe: Path, overrides: tuple[str, ...], ask: bool) -> int:
    """Show what apply would do; change nothing.

    The resolved recipe, the written forms of the words, the modules and their shapes, the memory it takes,
    and what would be written: read off the model's config and the headers of its files, so that nothing
    large is downloaded.
    """
    output = context.ensure_object(Output)
    asked = read_recipe(recipe, overrides)
    from editkit import pipeline

    with output.working() as tell:
        planned = pipeline.dry_run(asked, ask=ask, tell=tell)
    if output.json:
        output.document({"recipe": asked.name, "model": asked.model.id, **_document(asked, planned)})
    elif not output.quiet:
        _show(output, asked, planned)
    return 0


def _document(recipe: Recipe, planned: Planned) -> dict[str, Any]:
    document: dict[str, Any] = {
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
            for edit in planned.edits
        ],
        "modules": [
            {"name": name, "tensor": tensor, "shape": shape, "dtype": dtype}
            for name, tensor, shape, dtype in planned.modules
        ],
        "guess": planned.facts.guess,
        "trust_remote_code": recipe.model.trust_remote_code,
        "parameters": planned.facts.parameters,
        "stored_bytes": planned.facts.stored_bytes,
        "dtype": planned.facts.dtype,
        "memory": {**vars(planned.memory), "total": planned.memory.total, "for": vars(planned.load)},
        "resolved": planned.resolved,
        "writes": planned.writes,
    }
    if planned.plan is not None:
        document |= {"asked": planned.plan.asked, "cases": dict(planned.plan.counts())}
    return document


def _show(output: Output, recipe: Recipe, planned: Planned) -> None:
    from rich.text import Text

    words = _table("Written forms", "edit", "kind", "written", "tokens", "instead")
    for edit in planned.edits:
        for form in edit.forms:
            splits = {"spaced": len(form.spaced), "bare": len(form.bare)}
            tokens = ", ".join(f"{count} {kind}" for kind, count in splits.items() if count)
            instead = Text(form.instead or "the next best")
            words.add_row(str(edit.number), edit.kind, Text(form.text), tokens, instead)
    output.show(Text(planned.resolved), words)
    if planned.plan is not None:
        cases = _table(f"Of {planned.plan.asked} inputs asked", "role", "cases")
        for role, count in planned.plan.counts().items():
            cases.add_row(role, str(count))
        output.show(cases)
    output.show(*(Text(line, overflow="fold") for line in _lines(recipe, planned)))


def _lines(recipe: Recipe, planned: Planned) -> Iterator[str]:
    from editkit.cli.matrices import matrices_lines

    load, memory = planned.load, planned.memory
    yield from matrices_lines("May change", planned.facts.matrices)
    yield f"{planned.facts.parameters:,} parameters, {size(planned.facts.stored_bytes)} in the files"
    kept = load.packed or planned.facts.dtype
    yield (
        f"needs about {size(memory.total)} of memory, estimated from shapes: {size(memory.weights)} for the "
        f"weights ({kept}), and then {size(memory.answering)} to answer {load.asked} at once or "
        f"{size(memory.solving)} to solve {load.solved} at once; prompts of {load.prompt} tokens"
    )
    if recipe.model.trust_remote_code:
        yield "runs code of the model's own repository (model.trust_remote_code: true)"
    yield from (f"would write {place}" for place in planned.writes)
    if planned.facts.guess is not None:
        yield (
            "apply will refuse: where this architecture keeps W_out is not known. By its shapes it is as "
            "shown above; if that is right, put this into the recipe:"
        )
        yield f"model.w_out: {json.dumps(planned.facts.guess)}"


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left")
