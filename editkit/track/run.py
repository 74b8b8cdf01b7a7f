"""One MLflow run per `apply`, with a nested run per edit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.events import Event, Measured, Noted, StageEnded, Tell, nobody
from editkit.figures.curves import curves
from editkit.figures.layers import neurons_per_layer
from editkit.figures.scores import scores
from editkit.neuron import Neurons
from editkit.page.chosen import chosen
from editkit.page.sets import case_sets
from editkit.patch.words import key_for, keyed_digest
from editkit.plan import EditPlan, Picture, PlannedEdit
from editkit.privacy import Masks
from editkit.privacy.guard import Guard
from editkit.recipe import Recipe
from editkit.report import Report
from editkit.track import datasets, table, words
from editkit.track.journal import VERSION
from editkit.track.machine import Machine
from editkit.track.models import NOTE
from editkit.track.recording import recording
from editkit.track.registry import to_keep
from editkit.track.sink import Sink
from editkit.track.store import settled, shown, store_uri
from editkit.track.values import about, allowed, case_counts, flat, merged, standing, worst

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from editkit.figures.drawn import Drawn


class EditRun:
    """The nested run of one edit."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    @property
    def run_id(self) -> str | None:
        return self.sink.run_id

    def tell(self, event: Event) -> None:
        _listen(self.sink, event)

    def params(self, values: Mapping[str, object]) -> None:
        self.sink.params(flat(values, "edit"))

    def metrics(self, values: Mapping[str, float]) -> None:
        self.sink.metrics({allowed(key): value for key, value in values.items()})


class Run:
    """A run from its recipe to its report; `tell` makes it a listener.

    What it is given is masked before anything is made of it: see `track.privacy.tracking`.
    """

    def __init__(self, recipe: Recipe, digest: str, sink: Sink, masks: Masks, warn: Tell) -> None:
        """`warn` hears of what can't be kept."""
        self._recipe = recipe
        self._digest = digest
        self._sink = sink
        self._masks = masks
        self._guard = sink.guard
        self._warn = warn
        self._history: dict[str, list[tuple[int, float]]] = {}
        self._pictures: dict[str, Picture] = {}
        self._labels: dict[int, str] = {}
        self._edits: dict[int, EditRun] = {}
        self._datasets: dict[str, tuple[str, str]] = {}
        self._plan = EditPlan((), (), 0)
        self._machine = Machine()

    @property
    def run_id(self) -> str | None:
        return self._sink.run_id

    @property
    def experiment(self) -> str | None:
        return self._sink.experiment

    def tell(self, event: Event) -> None:
        _listen(self._sink, event)
        for key, value in self._machine.sample().items():
            self._sink.metric(key, value, self._machine.step)
        if isinstance(event, Measured):
            self._history.setdefault(event.key, []).append((event.step, event.value))

    def resolved(self, text: str) -> None:
        """The recipe as YAML with every default, and with the commit that the model's name stood for."""
        self._sink.text(self._masks.resolved(text), "resolved.yaml")

    def plan(self, plan: EditPlan) -> None:
        """The cases as dataset inputs and as a file, their counts as metrics."""
        plan = self._masks.plan(plan)
        self._labels = {edit.number: edit.label for edit in plan.edits}
        self._pictures = {picture.name: picture for case in plan.cases for picture in case.question.images}
        self._datasets, self._plan = datasets.names(plan), plan
        self._sink.params({"plan.edits": str(len(plan.edits)), "plan.asked": str(plan.asked)})
        self._sink.metrics(case_counts(plan.counts()))
        self._sink.flush()
        self._sink.text(datasets.listing(plan), datasets.CASES_FILE)
        self._sink.inputs(datasets.inputs(plan, self._digest))

    def neurons(self, neurons: Neurons) -> None:
        ranked = [
            {"name": str(neuron), "score": score}
            for neuron, score in zip(neurons.items, neurons.scores, strict=True)
        ]
        self._sink.text(json.dumps({"method": neurons.method, "neurons": ranked}, indent=1), "neurons.json")
        self._sink.params({"neurons.count": str(len(neurons)), "neurons.method": neurons.method})
        self._sink.figure(neurons_per_layer(neurons), "figures/neurons_per_layer.png")

    def figure(self, figure: Figure | Drawn, place: str) -> None:
        """Keep a figure among the others; `place` is a file name that carries no word of the recipe."""
        self._sink.figure(figure, f"figures/{place}")

    def text(self, text: str, place: str) -> None:
        self._sink.text(text, place)

    def metrics(self, values: Mapping[str, float]) -> None:
        self._sink.metrics({allowed(key): value for key, value in values.items()})

    @contextmanager
    def edit(self, edit: PlannedEdit) -> Iterator[EditRun]:
        """A nested run for one edit, closed with the status the block ends in."""
        edit = self._masks.edit(edit)
        sink = self._sink.nested(f"{self._masks.name(self._recipe.name)} edit {edit.number}: {edit.kind}")
        nested = EditRun(sink)
        self._edits[edit.number] = nested
        nested.params(
            {
                "number": edit.number,
                "kind": edit.kind,
                "label": edit.label,
                "when": edit.when,
                "forms": len(edit.forms),
            }
        )
        with _closing(sink, self._masks):
            yield nested

    def finish(self, report: Report, patch_path: Path | None) -> None:
        """Scores, table, report, figures, the patch where there is one, and the verdict as a tag."""
        sink, report = self._sink, self._masks.report(report)
        patch_path = self._kept(patch_path)
        patch_file = None if patch_path is None else self._masks.name(patch_path.name)
        deciding = worst(report)
        sink.metrics(merged(deciding) | standing(report))
        sink.metrics(
            {allowed(f"details/{name}"): value for name, value in report.details.items() if isfinite(value)}
        )
        sink.flush()
        for number, nested in self._edits.items():
            nested.sink.metrics(merged(worst(report, number)) | standing(report, number))
            nested.sink.flush()
        verdict = "accepted" if report.verdict.accepted else "rejected"
        text = words.report_markdown(
            report,
            name=f"{self._masks.name(self._recipe.name)}: {verdict}",
            patch_file=patch_file,
            recipe_digest=self._digest,
            labels=self._labels,
            sets=case_sets(self._plan),
        )
        sink.text(text, "report.md")
        sink.tags({"editkit.verdict": verdict, NOTE: words.description(report, self._labels, self.run_id)})
        if patch_path is not None:
            sink.file(patch_path, f"patch/{patch_file}")
            with patch_path.open("rb") as file:
                sink.tags({"editkit.patch_digest": file_digest(file, "sha256").hexdigest()})
        if rows := chosen(report.rows):
            sink.table(table.columns(rows, self._pictures), "before_after.json")
        sink.figure(scores(deciding), "figures/scores.png")
        if losses := {key: points for key, points in self._history.items() if key.startswith("loss")}:
            sink.figure(curves(losses), "figures/loss.png")
        if patch_file is not None:
            asked = to_keep(self._recipe, report, patch_file, self._datasets, sees=bool(self._pictures))
            sink.models(
                asked | {key: self._masks.name(asked[key]) for key in ("name", "registered") if asked[key]}
            )

    def _kept(self, patch_path: Path | None) -> Path | None:
        """The patch; none that spells the words out."""
        if patch_path is None or self._guard.keeps(patch_path):
            return patch_path
        why = f"{patch_path} spells a word that the run must not hold: the run goes on without the patch"
        self._warn(Noted(why, warning=True))
        return None


@contextmanager
def open_run(recipe: Recipe, tell: Tell = nobody, name: str | None = None) -> Iterator[Run]:
    """A run that is open for a block, with the recipe's settings as params; by default of the recipe's name.

    Ends FINISHED, FAILED on an exception, KILLED on Ctrl-C. A store that can't be used costs the block
    nothing: `tell` hears of it, and the run waits in its journal for `editkit sync`.
    """
    uri = settled(store_uri(recipe.track.uri))
    how, masks = recipe.track.privacy.published, Masks(recipe)
    # As the patch has it, so that the two can be told to belong together.
    digest = keyed_digest(recipe.digest, how, key_for(how))
    with recording(uri, tell) as record:
        number = record.begin(
            masks.name(name or recipe.name),
            {},
            parent=None,
            version=VERSION,
            store=shown(uri),
            experiment=masks.name(recipe.track.experiment),
            begun=os.environ.get("MLFLOW_RUN_ID"),
        )
        sink = Sink(record, number, Guard(masks))
        with _closing(sink, masks):
            sink.text(masks.recipe(), "recipe.yaml")
            sink.tags({"editkit.recipe_digest": digest, "editkit.version": version("editkit")})
            document = masks.document(recipe.document())
            sink.params(about(recipe, document) | flat(document, "recipe"))
            yield Run(recipe, digest, sink, masks, tell)


@contextmanager
def _closing(sink: Sink, masks: Masks) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        sink.close("KILLED")
        raise
    except BaseException as error:
        sink.tags({"editkit.error": masks.text(str(error)) or type(error).__name__})
        sink.close("FAILED")
        raise
    sink.close("FINISHED")


def _listen(sink: Sink, event: Event) -> None:
    if isinstance(event, Measured):
        sink.metric(allowed(event.key), event.value, event.step)
    elif isinstance(event, StageEnded):
        sink.metric(allowed(f"seconds/{event.name}"), event.seconds)
        sink.flush()
