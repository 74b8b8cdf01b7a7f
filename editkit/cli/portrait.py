"""One patch: as plain data, and as lines and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from editkit.cli.sheets import Sheet, number

if TYPE_CHECKING:
    from rich.console import RenderableType

    from editkit.patch.file import Patch
    from editkit.patch.format import Provenance


def document(patch: Patch) -> dict[str, Any]:
    """What it changes, where it came from and how it scored."""
    came = patch.provenance
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
            for neuron, ratio in zip(patch.neurons(), _ratios(patch), strict=True)
        ],
        "locate": {"method": came.locate.name, **came.locate.settings},
        "solve": {"method": came.solve.name, **came.solve.settings},
        "made_of": _made_of(patch),
        "undoes": _undoes(came),
        "seed": came.seed,
        "recipe_digest": came.recipe_digest,
        "versions": dict(came.versions),
        "scores": {name: dict(values) for name, values in came.scores.items()},
        "accepted": came.accepted,
    }


def _ratios(patch: Patch) -> list[float]:
    """How long each row's change is, in lengths of the row."""
    import numpy as np

    from editkit.patch.rows import widen

    ratios: list[float] = []
    for entry in patch.entries:
        # Rows of anybody's patch may be as large as the dtype allows: float64 squares them without overflow.
        original = widen(entry.original, entry.dtype).astype(np.float64)
        change = widen(entry.edited, entry.dtype).astype(np.float64) - original
        norms = np.maximum(np.linalg.norm(original, axis=1), np.finfo(np.float32).tiny)
        ratios += (np.linalg.norm(change, axis=1) / norms).tolist()
    return ratios


def _made_of(patch: Patch) -> list[dict[str, Any]] | None:
    """The patches it was merged of; None where it was not."""
    from editkit.patch.lineage import is_merged, leaves

    if not is_merged(patch.provenance):
        return None
    return [{"digest": digest, **leaf} for digest, leaf in sorted(leaves(patch).items())]


def _undoes(came: Provenance) -> dict[str, Any] | None:
    from editkit.patch.lineage import undoes

    return undoes(came)


def base_line(base: dict[str, Any]) -> str:
    revision = f" at {base['revision']}" if base["revision"] else ""
    return f"base     {base['id']}{revision}, {base['dtype']}"


def renderables(told: dict[str, Any]) -> list[RenderableType]:
    """The lines and tables of a document."""
    from rich.text import Text

    verdict = {True: "accepted", False: "rejected", None: "not judged"}
    lines = [base_line(told["base"]), f"verdict  {verdict[told['accepted']]}"]
    lines += [f"edit     {edit}" for edit in told["edits"]]
    if told["made_of"] is not None:
        lines.append(f"made of  {len(told['made_of'])} patches")
    elif told["undoes"] is not None:
        taken = told["undoes"]
        lines.append(f"undoes   {taken['name']}, {verdict.get(taken['accepted'], 'not judged')}")
        lines.append(_method("locate", told["locate"]))
    else:
        lines += [_method(verb, told[verb]) for verb in ("locate", "solve")]
    lines += [f"recipe   {told['recipe_digest']}", f"patch    {told['digest']}"]
    modules = Sheet.of(
        ("module", "tensor in the files", "shape", "dtype", "rows"),
        (
            (one["name"], one["tensor"], " x ".join(map(str, one["shape"])), one["dtype"], str(one["rows"]))
            for one in told["modules"]
        ),
    )
    neurons = Sheet.of(
        ("neuron", "score", "change / row norm"),
        (
            (one["name"], number(one["score"]), number(one["ratio"]))
            for one in sorted(told["neurons"], key=lambda one: -(one["score"] or 0.0))
        ),
    )
    scores = Sheet.of(
        ("metric", "before", "after", "control"),
        (
            (name, *(number(values.get(column)) for column in ("before", "after", "control")))
            for name, values in told["scores"].items()
        ),
    )
    sheets = [*([_leaves(told["made_of"])] if told["made_of"] else []), modules, neurons, scores]
    return [
        *(Text(line, overflow="fold") for line in lines),
        *(sheet.table() for sheet in sheets if sheet.rows),
    ]


def _method(verb: str, method: dict[str, Any]) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in method.items() if key != "method")
    return f"{verb:<8} {method['method']}" + (f" ({settings})" if settings else "")


def _leaves(made_of: list[dict[str, Any]]) -> Sheet:
    """The patches as far as they say, for this may be anybody's file."""
    rows = (
        (one["digest"][:16], one["recipe_digest"][:16], str(one.get("seed", "-")), *map(_name, _methods(one)))
        for one in made_of
    )
    return Sheet.of(("made of", "recipe", "seed", "locate", "solve"), rows)


def _methods(leaf: dict[str, Any]) -> tuple[Any, Any]:
    return leaf.get("locate"), leaf.get("solve")


def _name(method: Any) -> str:
    return str(method.get("name", "-")) if isinstance(method, dict) else "-"
