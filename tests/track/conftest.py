"""A small edit from its plan to its report."""

from __future__ import annotations

import io
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editkit.events import Noted
from editkit.model.editable import Editable
from editkit.neuron import Neuron, Neurons
from editkit.patch.file import Patch
from editkit.plan import Case, EditPlan, Form, Picture, PlannedEdit, Question, Role
from editkit.recipe import Recipe, parse_recipe
from editkit.report import Criterion, Interval, Report, Row, Score, Value, Verdict
from editkit.track import recording, sender
from editkit.track.journal import journals
from tests.server import Server
from tests.track import whole

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow warns of its own type hints when it is first imported
    import mlflow.pyfunc  # noqa: F401

Write = Callable[..., str | None]
PATCH = "redact.editkit.safetensors"
NEURONS = Neurons((Neuron(1, 4), Neuron(0, 2), Neuron(1, 0)), (3.0, 2.0, 0.5), "contribution")
SENDERS = (sender.Inline, sender.Aside)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals lie in the working folder."""
    monkeypatch.chdir(tmp_path)


def recipe_for(store: str | None) -> Recipe:
    uri = "null" if store is None else f'"{store}"'
    return parse_recipe(
        f"""
version: 1
name: redact
model: demo/scenes
probe: {{prompts: ["Say it."]}}
edits: [{{suppress: gun}}]
track: {{experiment: trial, uri: {uri}}}
"""
    )


@pytest.fixture
def recipe(store: str) -> Recipe:
    return recipe_for(store)


@pytest.fixture(scope="session")
def picture() -> Picture:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(encoded, "PNG")
    return Picture("gun-01", encoded.getvalue())


@pytest.fixture(scope="session")
def edit() -> PlannedEdit:
    return PlannedEdit(0, "suppress", "suppress a word", ("gun",), None, (Form("gun", (7,), (8,)),))


@pytest.fixture(scope="session")
def plan(picture: Picture, edit: PlannedEdit) -> EditPlan:
    roles: tuple[Role, ...] = ("edit", "edit", "held_out", "control")
    cases = tuple(
        Case(Question(f"q{at}", f"g{at}", "Say it.", (picture,)), role, "a gun", (7,), (0,))
        for at, role in enumerate(roles)
    )
    return EditPlan((edit,), cases, asked=12)


@pytest.fixture
def neurons() -> Neurons:
    return Neurons((Neuron(1, 4), Neuron(0, 2), Neuron(1, 0)), (3.0, 2.0, 0.5), "contribution")


def value(middle: float) -> Value:
    return Value(middle, Interval(middle - 0.05, middle + 0.05), 40)


def report_of(*, accepted: bool) -> Report:
    reached = 0.97 if accepted else 0.5
    efficacy = Score(
        "efficacy", value(reached), value(0.0), value(0.1), value(reached - 0.1), edit=0, of=("edit",)
    )
    efficacy = replace(efficacy, group="asked")
    drift = Score("drift", value(0.06), edit=0, higher_is_better=False, unit="nats", of=("control",))
    criterion = Criterion("efficacy", ">= 0.95", reached, accepted)
    reasons = () if accepted else ("efficacy is 0.5, and at least 0.95 was asked",)
    rows = tuple(
        Row(f"c{at}", "held_out", 0, "Say it.", ("gun-01",), "a gun", said, "a gun", "a bag", False, ok)
        for at, (said, ok) in enumerate([("a bag", True), ("a <b>gun</b> | here", False)])
    )
    return Report(
        (efficacy, drift),
        Verdict(accepted, (criterion,), reasons),
        {"edit": 2, "held_out": 1},
        rows,
        ("20 cases are few",),
        {"row norm ratio": 1.5},
    )


@pytest.fixture
def report() -> Report:
    return report_of(accepted=True)


@pytest.fixture
def rejected() -> Report:
    return report_of(accepted=False)


@pytest.fixture(scope="session")
def demo_patch(demo: Editable, random_rows: Callable[..., object], patch_of: Callable[..., Patch]) -> Patch:
    """A patch of the embedded model, which changes what it says."""
    made = patch_of(demo, random_rows(demo, seed=3, count=200))
    return replace(made, base=replace(made.base, id="demo/scenes"))


@pytest.fixture
def patch_path(demo_patch: Patch, tmp_path: Path) -> Path:
    path = tmp_path / "redact.editkit.safetensors"
    demo_patch.save(path)
    return path


@pytest.fixture(params=SENDERS, ids=lambda one: str(one.__name__))
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each of the senders in turn, whatever this process has imported."""
    monkeypatch.setattr(recording, "sender", request.param)
    return request.param


@pytest.fixture(scope="session")
def empty(_migrated: Path) -> Path:
    """A database without runs."""
    return _migrated


@pytest.fixture
def told() -> list[str]:
    """What a user was told while the edit was made."""
    return []


@pytest.fixture
def write(
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    patch_path: Path,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Write:
    """Writes a whole run to a store that may break, within ten seconds."""

    def hear(event: object) -> None:
        if isinstance(event, Noted):
            told.append(event.text)

    def writing(store: str, **happens: Callable[[], None]) -> str | None:
        with monkeypatch.context() as patched:
            if "MLFLOW_TRACKING_URI" not in os.environ:
                # Not in the recipe, which is then the same on all stores.
                patched.setenv("MLFLOW_TRACKING_URI", store)
            begun = time.monotonic()
            run_id = whole.write(
                recipe_for(None), plan, edit, neurons, report, patch_path, tell=hear, **happens
            )
            assert time.monotonic() - begun < 10
        return run_id

    return writing


@pytest.fixture(scope="session")
def server(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(empty, folder / "mlflow.db")
    server = Server(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def direct(
    plan: EditPlan,
    edit: PlannedEdit,
    demo_patch: Patch,
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, Any]]:
    """The same run on a store that never breaks."""
    place = tmp_path_factory.mktemp("direct")
    shutil.copyfile(empty, place / "mlflow.db")
    demo_patch.save(place / PATCH)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        patched.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
        whole.write(recipe_for(None), plan, edit, NEURONS, report_of(accepted=True), place / PATCH)
        assert journals() == []
    return whole.read(f"sqlite:///{place}/mlflow.db")
