"""`editkit show`: what a patch changes, where it came from, and what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, shown

if TYPE_CHECKING:
    from editkit.patch.file import Patch


@click.command()
@click.argument("patch", type=click.Path(path_type=Path))
@talking
@click.pass_context
def show(context: click.Context, patch: Path) -> int:
    """Show what PATCH changes and how it scored.

    Also the model it is for, and how it was made.
    """
    from editkit.patch.file import Patch

    document = _document(Patch.load(patch))
    output = context.ensure_object(Output)
    if output.json:
        output.document({"status": "done", "patch": str(patch), **document})
    else:
        _show(output, shown(document))
    return 0


def _document(patch: Patch) -> dict[str, Any]:
    import numpy as np

    from editkit.patch.rows import widen

    came = patch.provenance
    ratios: list[float] = []
    for entry in patch.entries:
        # Rows of anybody's patch may be as large as the dtype allows: float64 squares them without overflow.
        original = widen(entry.original, entry.dtype).astype(np.float64)
        change = widen(entry.edited, entry.dtype).astype(np.float64) - original
        norms = np.maximum(np.linalg.norm(original, axis=1), np.finfo(np.float32).tiny)
        ratios += (np.linalg.norm(change, axis=1) / norms).tolist()
    return {
        "digest": patch.digest,
        "base": vars(patch.base),
        "edits": list(came.edits),
        "modules": [
            {
                "name": entry.module,
                "tensor": entry.tensor,
                "shape": entry.shape,
                "dtype": entry.dtype,
                "rows": len(entry.neurons),
            }
            for entry in patch.entries
        ],
        "neurons": [
            {"name": str(neuron), "score": came.neuron_scores.get(str(neuron)), "ratio": ratio}
            for neuron, ratio in zip(patch.neurons(), ratios, strict=True)
        ],
        "locate": {"method": came.locate.name, **came.locate.settings},
        "solve": {"method": came.solve.name, **came.solve.settings},
        "seed": came.seed,
        "recipe_digest": came.recipe_digest,
        "versions": dict(came.versions),
        "scores": {name: dict(values) for name, values in came.scores.items()},
        "accepted": came.accepted,
    }


def _show(output: Output, document: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    base = document["base"]
    revision = f" at {base['revision']}" if base["revision"] else ""
    verdict = {True: "accepted", False: "rejected", None: "not judged"}[document["accepted"]]
    lines = [f"base     {base['id']}{revision}, {base['dtype']}", f"verdict  {verdict}"]
    lines += [f"edit     {edit}" for edit in document["edits"]]
    for verb in ("locate", "solve"):
        settings = ", ".join(f"{key} {value}" for key, value in document[verb].items() if key != "method")
        lines.append(f"{verb:<8} {document[verb]['method']}" + (f" ({settings})" if settings else ""))
    lines += [f"recipe   {document['recipe_digest']}", f"patch    {document['digest']}"]
    modules = Table("module", "tensor in the files", "shape", "dtype", "rows")
    for one in document["modules"]:
        shape = " x ".join(map(str, one["shape"]))
        modules.add_row(one["name"], one["tensor"], shape, one["dtype"], str(one["rows"]))
    neurons = Table("neuron", "score", "change / row norm")
    for one in sorted(document["neurons"], key=lambda one: -(one["score"] or 0.0)):
        neurons.add_row(one["name"], _number(one["score"]), _number(one["ratio"]))
    scores = Table("metric", "before", "after", "control")
    for name, values in document["scores"].items():
        scores.add_row(name, *(_number(values.get(column)) for column in ("before", "after", "control")))
    output.show(*(Text(line, overflow="fold") for line in lines), modules, neurons, scores)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
