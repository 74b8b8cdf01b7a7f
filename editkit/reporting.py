"""What a run leaves to be read: collected while it goes on, a page when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from editkit.events import Event, Measured
from editkit.page import Material, Written, render
from editkit.page.sets import case_sets
from editkit.privacy import Masks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from editkit.figures.drawn import Drawn
    from editkit.patch.file import Patch
    from editkit.plan import EditPlan
    from editkit.recipe import Recipe
    from editkit.report import Report, Score


class Reporting:
    """Keeps curves, figures and neurons; a listener."""

    def __init__(self) -> None:
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.figures: dict[str, bytes] = {}
        self.neurons: tuple[Written, ...] = ()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Measured) and event.key.startswith("loss"):
            self.curves.setdefault(event.key, []).append((event.step, event.value))

    def figure(self, name: str, figure: Figure) -> Drawn:
        """The figure, drawn once and kept."""
        from editkit.figures.drawn import drawn

        found = drawn(figure)
        self.figures[name] = found.png
        return found

    def page(
        self,
        recipe: Recipe,
        plan: EditPlan,
        report: Report,
        *,
        what: str,
        patch: Patch | None = None,
        patch_file: str | None = None,
        run: Mapping[str, str | None] | None = None,
        differences: Sequence[Score] = (),
        against: str | None = None,
    ) -> str:
        """The whole report as one HTML file.

        Args:
            what: what was done, for the heading.
            patch_file: the file's name alone.
            run: `run` and `experiment`, as far as they are known.
        """
        masks = Masks(recipe)
        plan, report = masks.plan(plan), masks.report(report)
        name, patch_file = masks.name(recipe.name), None if patch_file is None else masks.name(patch_file)
        given = recipe.track.registry
        told = {key: value for key, value in (run or {}).items() if value is not None}
        registered = None if given is False else name if given is True else masks.name(given)
        origin = [*(_origin(patch) if patch is not None else ()), *told.items()]
        return render(
            Material(
                name,
                masks.text(what),
                report,
                labels={edit.number: edit.label for edit in plan.edits},
                pictures={picture.name: picture for case in plan.cases for picture in case.question.images},
                origin=[(key, masks.text(value)) for key, value in origin],
                sets=case_sets(plan),
                changed=None if patch is None else len(patch.neurons()),
                neurons=masks.neurons(self.neurons),
                figures=self.figures,
                curves=self.curves,
                differences=differences,
                against=None if against is None else masks.text(against),
                load=None if patch is None or patch_file is None else _load(patch, patch_file, registered),
                undo=None if patch_file is None else _undo(patch_file),
                run_id=told.get("run"),
            )
        )


def _origin(patch: Patch) -> Iterator[tuple[str, str]]:
    came, base = patch.provenance, patch.base
    yield "base", base.id
    yield "revision", base.revision or "none: known by its digests"
    yield "loaded as", base.dtype
    yield "SHA-256 of the base's config", base.config_digest
    yield "SHA-256 of the patch", patch.digest
    yield "recipe digest", came.recipe_digest
    for step, method in (("located by", came.locate), ("solved by", came.solve)):
        yield step, f"{method.name} {json.dumps(dict(method.settings), sort_keys=True)}"
    yield "seed", str(came.seed)
    tensors = list(dict.fromkeys(entry.tensor for entry in patch.entries))
    yield "tensors changed", ", ".join(tensors) or "none"
    yield "versions", ", ".join(f"{name} {version}" for name, version in came.versions.items())


def _load(patch: Patch, patch_file: str, registered: str | None) -> str:
    own = ', base="path/to/the/base"' if patch.base.id.startswith("sha256:") else ""
    lines = [
        "import editkit",
        "",
        f"model = editkit.from_pretrained({json.dumps(patch_file)}{own})  # checks the base, byte for byte",
    ]
    if registered is not None:
        lines += [
            "",
            "import mlflow",
            "",
            f'model = mlflow.pyfunc.load_model("models:/{registered}@accepted")  # once it is accepted',
        ]
    return "\n".join(lines)


def _undo(patch_file: str) -> str:
    return (
        "from editkit import Patch, undo_patch\n\n"
        f"undo_patch(model, Patch.load({json.dumps(patch_file)}))\n\n"
        "# of a folder with a merged model: editkit revert"
    )
