"""A run written to a real store and read back from it."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as Stored

from editkit.events import Measured, Noted, StageEnded
from editkit.neuron import Neurons
from editkit.patch.words import keyed_digest, local_key
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.recipe import Recipe, parse_recipe
from editkit.report import Report
from editkit.track.datasets import inputs
from editkit.track.run import Run, open_run


def runs(store: str, experiment: str = "trial") -> list[Stored]:
    client = MlflowClient(store)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["start_time ASC"]))


def only(store: str) -> Stored:
    (run,) = runs(store)
    return run


def read(run: Stored, name: str) -> str:
    return (folder(run) / name).read_text()


def folder(run: Stored) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))


def test_a_whole_run(
    recipe: Recipe,
    store: str,
    plan: EditPlan,
    edit: PlannedEdit,
    neurons: Neurons,
    report: Report,
    patch_path: Path,
) -> None:
    with open_run(recipe) as run:
        run.plan(plan)
        run.neurons(neurons)
        for step in range(3):
            run.tell(Measured("loss/target", 1.0 / (step + 1), step))
        run.tell(StageEnded("solve", 2.5))
        with run.edit(edit) as nested:
            nested.tell(Measured("loss/target", 0.5, 4))
            nested.params({"top": 8})
            nested.metrics({"largest ratio": 1.9})
        run.finish(report, patch_path)
        run_id = run.run_id
    parent, child = runs(store)

    assert parent.info.run_id == run_id
    assert parent.info.run_name == "redact"
    assert parent.info.status == child.info.status == "FINISHED"
    params = parent.data.params
    assert params["recipe.name"] == "redact"
    assert params["recipe.locate.top"] == "8"
    assert params["recipe.edits.0.suppress"] == '["gun"]'
    assert params["recipe.accept.efficacy"] == ">= 0.95"
    history = MlflowClient(store).get_metric_history(run_id, "loss/target")
    assert [(point.step, point.value) for point in history] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    metrics = parent.data.metrics
    assert metrics["seconds/solve"] == 2.5
    assert (metrics["cases/edit"], metrics["cases/held_out"], metrics["cases/control"]) == (2, 1, 1)
    assert metrics["efficacy/after"] == 0.97
    assert metrics["efficacy/after_low"] == pytest.approx(0.92)
    assert metrics["efficacy/after_high"] == pytest.approx(1.02)
    assert (metrics["efficacy/before"], metrics["efficacy/control"]) == (0.0, 0.1)
    assert metrics["details/row norm ratio"] == 1.5
    assert "drift/before" not in metrics
    assert parent.data.tags["editkit.verdict"] == "accepted"
    assert parent.data.tags["editkit.recipe_digest"] == keyed_digest(recipe.digest, "hash", local_key())
    assert parent.data.tags["editkit.patch_digest"] == sha256(patch_path.read_bytes()).hexdigest()
    assert parent.data.tags["mlflow.note.content"].startswith("**Accepted.**")

    assert child.data.tags["mlflow.parentRunId"] == run_id
    assert child.data.params["edit.label"] == "suppress a word"
    assert child.data.params["edit.top"] == "8"
    assert child.data.metrics["efficacy/after"] == 0.97
    assert child.data.metrics["largest ratio"] == 1.9
    assert child.data.metrics["loss/target"] == 0.5


def test_the_files_of_a_run(
    recipe: Recipe, store: str, plan: EditPlan, neurons: Neurons, report: Report, patch_path: Path
) -> None:
    with open_run(recipe) as run:
        run.resolved("resolved: true\n")
        run.plan(plan)
        run.neurons(neurons)
        run.tell(Measured("loss/kl", 0.5, 0))
        run.finish(report, patch_path)
    stored = only(store)

    assert read(stored, "recipe.yaml") == recipe.written
    assert read(stored, "resolved.yaml") == "resolved: true\n"
    assert (folder(stored) / "patch" / patch_path.name).read_bytes() == patch_path.read_bytes()
    named = json.loads(read(stored, "neurons.json"))
    assert named["method"] == "contribution"
    assert named["neurons"][0] == {"name": "L1.N4", "score": 3.0}
    assert read(stored, "report.md").startswith("# redact: accepted\n\n**Accepted.**")
    assert [case["role"] for case in json.loads(read(stored, "cases.json"))] == [c.role for c in plan.cases]
    for figure in ("neurons_per_layer", "scores", "loss"):
        assert (folder(stored) / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    table = json.loads(read(stored, "before_after.json"))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [(row["case"], row["ok"]) for row in rows] == [("c1", "no"), ("c0", "yes")]
    assert (folder(stored) / rows[0]["picture"]["filepath"]).is_file()

    contexts = {given.tags[0].value: given.dataset for given in stored.inputs.dataset_inputs}
    assert set(contexts) == {"edit", "held_out", "control"}
    assert json.loads(contexts["edit"].profile)["num_rows"] == 2
    assert contexts["edit"].name == "edit-cases"


def test_each_suite_of_side_effects_is_a_dataset_of_its_own(plan: EditPlan) -> None:
    asked = [
        Case(Question(f"s{at}", f"s{at}", "No?"), "side", "a", (1,), suite=f"s_{at % 2}") for at in range(3)
    ]
    given = inputs(replace(plan, cases=(*plan.cases, *asked)), "0" * 64)
    found = {one["name"]: (one["context"], json.loads(one["profile"])["num_rows"]) for one in given}
    assert found == {
        "control-cases": ("control", 1),
        "edit-cases": ("edit", 2),
        "held-out-cases": ("held_out", 1),
        "s-0-cases": ("side", 2),
        "s-1-cases": ("side", 1),
    }


def test_files_lie_beside_their_database_and_the_experiment_says_its_kind(
    recipe: Recipe, store: str, tmp_path: Path
) -> None:
    with open_run(recipe) as run:
        assert run.experiment == "trial"
    assert folder(only(store)).is_relative_to(tmp_path / "mlartifacts" / "trial")
    experiment = MlflowClient(store).get_experiment_by_name("trial")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_rejected_edit_is_a_finished_run(
    recipe: Recipe, store: str, rejected: Report, patch_path: Path
) -> None:
    with open_run(recipe) as run:
        run.finish(rejected, patch_path)
    stored = only(store)
    assert stored.info.status == "FINISHED"
    assert stored.data.tags["editkit.verdict"] == "rejected"


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_what_goes_wrong_ends_the_run_and_its_nested_run(
    recipe: Recipe, store: str, edit: PlannedEdit, error: type[BaseException], status: str
) -> None:
    def fail(run: Run) -> None:
        run.tell(Measured("loss/target", 0.25, 1))
        with run.edit(edit):
            raise error("the sky fell")

    with pytest.raises(error, match="the sky fell"), open_run(recipe) as run:
        fail(run)
    stored = runs(store)
    assert [run.info.status for run in stored] == [status, status]
    assert stored[0].data.metrics["loss/target"] == 0.25
    assert stored[0].data.tags.get("editkit.error") == ("the sky fell" if status == "FAILED" else None)


def test_long_params_are_cut(recipe: Recipe, store: str) -> None:
    long = parse_recipe(recipe.written, overrides=["probe.prompts=[" + "x" * 7000 + "]"])
    with open_run(long):
        pass
    assert len(only(store).data.params["recipe.probe.prompts"]) == 6000


def test_the_loss_can_be_watched_while_the_edit_runs(recipe: Recipe, store: str) -> None:
    with open_run(recipe) as run:
        for step in range(500):
            run.tell(Measured("loss/target", 1.0, step))
        assert only(store).data.metrics["loss/target"] == 1.0


def test_a_run_that_mlflow_has_begun_is_taken_over(
    recipe: Recipe, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(store)
    begun = client.create_run(client.create_experiment("projects", tmp_path.as_uri())).info.run_id
    client.log_param(begun, "recipe", "recipes/redact.yaml")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_RUN_ID", begun)
    with open_run(recipe) as run:
        assert (run.run_id, run.experiment) == (begun, "projects")
    stored = client.get_run(begun)
    assert stored.info.status == "FINISHED"
    assert stored.data.params["recipe"] == "recipes/redact.yaml"
    assert stored.data.params["recipe.name"] == "redact"
    assert client.get_experiment_by_name("trial") is None


def test_a_store_that_breaks_never_loses_the_edit(
    recipe: Recipe, tmp_path: Path, plan: EditPlan, edit: PlannedEdit, report: Report, patch_path: Path
) -> None:
    told: list[object] = []
    with open_run(recipe, told.append) as run:
        (tmp_path / "mlflow.db").write_bytes(b"no database any more, " * 500)
        run.tell(Measured("loss/target", 0.25, 1))
        run.tell(StageEnded("solve", 1.0))
        run.plan(plan)
        with run.edit(edit) as nested:
            nested.metrics({"ratio": 1.0})
        run.finish(report, patch_path)
    (note,) = [event for event in told if isinstance(event, Noted)]
    assert note.warning
    assert "the edit goes on" in note.text


def test_a_place_for_files_that_breaks_still_ends_the_run(
    recipe: Recipe, store: str, report: Report, patch_path: Path
) -> None:
    told: list[object] = []
    with open_run(recipe, told.append) as run:
        artifacts = folder(only(store))
        for path in artifacts.iterdir():
            path.unlink()
        artifacts.rmdir()
        artifacts.write_text("a file where the folder was")
        run.finish(report, patch_path)
    stored = only(store)
    assert stored.info.status == "FINISHED"
    assert stored.data.tags["editkit.tracking"] == "incomplete"
    assert len(told) == 1


def test_runs_of_different_recipes_stand_side_by_side(
    store: str, plan: EditPlan, edit: PlannedEdit, report: Report, rejected: Report
) -> None:
    """The UI's table has a column for each key: those that matter have to be the same ones."""
    text = """
version: 1
name: {name}
model: demo/scenes
probe: {{prompts: ["Say it."]}}
edits: [{{suppress: {word}}}]
locate: {{method: {method}, top: 4}}
evaluate: {{metrics: [{metrics}]}}
accept: {{efficacy: ">= 0.5"}}
track: {{experiment: trial, uri: "{store}"}}
"""
    few = replace(rejected, scores=rejected.scores[:1], rows=(), counts={}, details={}, words=())
    for name, word, method, metrics, found in (
        ("one", "gun", "contribution", "efficacy, drift", report),
        ("two", "fork", "activation", "efficacy", few),
    ):
        recipe = parse_recipe(text.format(name=name, word=word, method=method, metrics=metrics, store=store))
        with open_run(recipe) as run:
            run.plan(plan)
            with run.edit(edit):
                pass
            run.finish(found, None)
    stored = runs(store)
    assert len(stored) == 4
    keys = [set(run.data.metrics) for run in stored]
    main = {f"efficacy/{side}" for side in ("before", "after", "control", "difference")}
    main |= {"verdict/accepted", "verdict/met", "verdict/asked", "cases/failed", "cases/changed"}
    main |= {"words/changed", "words/surely_changed"}
    assert all(main <= own for own in keys)
    parents = [run for run in stored if "mlflow.parentRunId" not in run.data.tags]
    counted = {f"cases/{role}" for role in ("edit", "held_out", "preserve", "control", "side")}
    assert all(counted <= set(run.data.metrics) for run in parents)
    assert [run.data.metrics["verdict/accepted"] for run in parents] == [1.0, 0.0]
    first, second = (run.data.params for run in parents)
    assert set(first) == set(second)
    ahead = [key for key in sorted(first) if key.startswith("about.")]
    assert sorted(first)[: len(ahead)] == ahead
    assert {key for key in ahead if first[key] != second[key]} == {"about.locate", "about.recipe"}


def test_what_is_no_number_is_left_out(recipe: Recipe, store: str, report: Report) -> None:
    nan = float("nan")
    none = replace(report.scores[0], name="pope_f1_random", after=replace(report.scores[0].after, value=nan))
    with open_run(recipe) as run:
        run.finish(replace(report, scores=(*report.scores, none), details={"bad": nan}), None)
    metrics = only(store).data.metrics
    assert "pope_f1_random/after" not in metrics
    assert "details/bad" not in metrics
    assert metrics["pope_f1_random/before"] == 0.0
