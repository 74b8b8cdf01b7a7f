"""Under hash and omit no byte that leaves holds a word, whatever is done; under plain the words are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.errors import EditkitError
from editkit.events import Event, Noted
from editkit.export.folder import export_hub
from editkit.export.lora import export_lora
from editkit.figures.drawn import Drawn
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.pipeline import apply
from editkit.recipe import parse_recipe
from editkit.study.compare import compare
from editkit.study.evaluating import evaluate_only
from editkit.track import run
from tests.privacy.conftest import RECIPE, SAID, Made
from tests.privacy.leaving import blank, found

HIDING = pytest.mark.parametrize("how", ["hash", "omit"])
PATCH = "gun.editkit.safetensors"


def files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def test_plain_runs_say_the_words(recipe: Made, figures: dict[str, Drawn], tmp_path: Path) -> None:
    apply(recipe("plain"), output=tmp_path / PATCH, report_place=tmp_path / "r.html")
    (tmp_path / PATCH).rename(tmp_path / "pictures" / PATCH)
    told = found(tmp_path)
    names = {name.rpartition("/")[2] for name in told}
    artifacts = {
        "recipe.yaml",
        "resolved.yaml",
        "cases.json",
        "report.md",
        "report.html",
        "before_after.json",
    }
    assert names >= {"mlflow.db", "r.html", PATCH, *artifacts}
    assert "name of mlartifacts/guns" in told
    assert figures["figures/edit0_heat_top.png"].pictures
    assert any(map(SAID.search, figures["figures/edit0_tokens.png"].texts))
    assert any(not blank(path) for name, path in files(tmp_path).items() if "table_images" in name)


@HIDING
def test_a_whole_edit(
    how: str, recipe: Made, figures: dict[str, Drawn], demo: Editable, tmp_path: Path
) -> None:
    asked = recipe(how)
    place = tmp_path / "pictures" / PATCH  # where the user put it, and called it so
    done = apply(asked, output=place, report_place=tmp_path / "r.html")
    assert found(tmp_path) == {}
    assert done.run_id is not None
    assert SAID.search(str(done.report.rows))

    assert figures
    assert not any(one.pictures or any(map(SAID.search, one.texts)) for one in figures.values())
    pictures = [path for name, path in files(tmp_path).items() if "table_images" in name]
    assert pictures
    assert all(map(blank, pictures))
    names = {path.name for path in files(tmp_path / "mlartifacts").values()}
    assert names >= {"report.html", "report.md", "scores.png", "layers.png", "MLmodel", "cases.json"}
    assert not [name for name in names if name.startswith("edit0_")]

    mark = "hmac-" if how == "hash" else "[omitted]"
    stored = MlflowClient().get_run(done.run_id)
    assert mark in stored.data.params["recipe.edits.0.suppress"]
    assert mark in stored.data.params["recipe.edits.2.rewrite.to"]
    assert stored.data.params["recipe.probe.images.folder"] == "[a local file]"
    assert stored.data.tags["editkit.registered"].startswith("no-hmac-" if how == "hash" else "no-omitted")
    assert stored.data.metrics["efficacy/after"] == done.report.score("efficacy").after.value

    export_hub(done.patch, demo.folder, tmp_path / "hub", recipe=asked, allow_rejected=True)
    export_lora(done.patch, demo.folder, tmp_path / "lora")
    (tmp_path / "hub" / "tokenizer.json").unlink()  # the base's own, byte for byte, with all its words
    assert found(tmp_path) == {}


@HIDING
def test_runs_that_fail(how: str, recipe: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pictures" / "guns" / "gun9.png").write_bytes(b"no picture")
    with pytest.raises(EditkitError, match=r"gun9\.png"):
        apply(recipe(how), output=tmp_path / "out.editkit.safetensors")
    (tmp_path / "pictures" / "guns" / "gun9.png").unlink()

    def broken(*given: object) -> None:
        raise RuntimeError("the Guns of a GUN; /data/spoon_2/kite7.png")

    monkeypatch.setattr(run.datasets, "listing", broken)
    with pytest.raises(RuntimeError):
        apply(recipe(how), output=tmp_path / "out.editkit.safetensors")
    assert found(tmp_path) == {}
    experiment = MlflowClient().search_experiments(order_by=["experiment_id DESC"])[0]
    errors = [
        one.data.tags["editkit.error"] for one in MlflowClient().search_runs([experiment.experiment_id])
    ]
    assert len(errors) == 2
    assert all(("hmac-" if how == "hash" else "[omitted]") in text for text in errors)


def test_comparing_localizers(recipe: Made, figures: dict[str, Drawn], tmp_path: Path) -> None:
    compare(recipe("hash"), ["contribution", "random"])
    assert any(name.endswith("comparison.md") for name in files(tmp_path))
    assert found(tmp_path) == {}
    assert not any(SAID.search(text) for one in figures.values() for text in one.texts)


def test_evaluating_somebody_elses_patch(
    recipe: Made,
    demo: Editable,
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    made, place = patch_of(demo, random_rows(demo, seed=3, count=20)), tmp_path / "pictures" / PATCH
    base, provenance = replace(made.base, id="demo/scenes"), replace(made.provenance, edits=("no guns",))
    replace(made, base=base, provenance=provenance).save(place)
    told: list[Event] = []
    evaluate_only(recipe("omit"), place, against=place, tell=told.append)
    assert found(tmp_path) == {}
    assert "patch" not in {path.parent.name for path in files(tmp_path / "mlartifacts").values()}
    assert any("spells a word" in event.text for event in told if isinstance(event, Noted))


def test_runs_that_wait(recipe: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    apply(recipe("omit"), output=tmp_path / "pictures" / PATCH)
    assert any(
        name.startswith(".editkit/spool/") and name.endswith("report.html") for name in files(tmp_path)
    )
    assert found(tmp_path) == {}


@HIDING
def test_a_run_keeps_the_patch_so_published_is_no_plainer(how: str) -> None:
    with pytest.raises(EditkitError, match=r"track\.privacy\.published: the run keeps the patch"):
        parse_recipe(RECIPE % (how, "plain"))
