"""The models of a run: both in the store with their figures, the edited one loaded back from it."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import LoggedModel

from editkit.demo.world import scene
from editkit.errors import InputError, ModelError, PatchError
from editkit.model.editable import Editable
from editkit.model.generate import answers
from editkit.model.patching import patched
from editkit.patch.file import Patch
from editkit.patch.format import Base
from editkit.plan import EditPlan, Picture
from editkit.probe.questions import question
from editkit.probe.scenes import picture
from editkit.track.pyfunc import requirements, settings
from editkit.track.run import open_run
from editkit.track.served import edited, questions
from tests.track.conftest import recipe_for, report_of

PROMPT = "Describe the image in few words."
PATCH = "redact.editkit.safetensors"


@dataclass(frozen=True)
class Kept:
    store: str
    run_id: str
    before: LoggedModel
    after: LoggedModel

    @property
    def folder(self) -> Path:
        return Path(self.after.artifact_location.removeprefix("file://"))


@pytest.fixture(scope="module")
def kept(
    _migrated: Path, tmp_path_factory: pytest.TempPathFactory, plan: EditPlan, demo_patch: Patch
) -> Kept:
    """One run with its models."""
    place = tmp_path_factory.mktemp("kept")
    shutil.copyfile(_migrated, place / "mlflow.db")
    store = f"sqlite:///{place}/mlflow.db"
    demo_patch.save(place / PATCH)
    with open_run(recipe_for(store)) as run:
        run.plan(plan)
        run.finish(report_of(accepted=True), place / PATCH)
    client = MlflowClient(store)
    assert run.run_id is not None
    found = client.search_logged_models([client.get_run(run.run_id).info.experiment_id])
    named = {one.name: one for one in found}
    assert set(named) == {"redact-before", "redact-after"}
    return Kept(store, run.run_id, named["redact-before"], named["redact-after"])


@pytest.fixture
def folder(kept: Kept) -> Path:
    return kept.folder


def test_both_have_the_same_figures_on_the_same_data(kept: Kept) -> None:
    run = MlflowClient(kept.store).get_run(kept.run_id)
    digests = {given.dataset.name: given.dataset.digest for given in run.inputs.dataset_inputs}
    before, after = (
        {one.key: (one.value, one.dataset_name, one.dataset_digest) for one in model.metrics}
        for model in (kept.before, kept.after)
    )
    assert before == {"efficacy": (0.0, "edit-cases", digests["edit-cases"])}
    assert after == {
        "efficacy": (0.97, "edit-cases", digests["edit-cases"]),
        "drift": (0.06, "control-cases", digests["control-cases"]),
    }
    assert run.data.metrics["efficacy"] == 0.97
    assert [one.model_id for one in run.inputs.model_inputs] == [kept.before.model_id]
    assert [one.model_id for one in run.outputs.model_outputs] == [kept.after.model_id]


def test_a_model_says_what_it_was_made_of(kept: Kept, demo_patch: Patch) -> None:
    for model in (kept.before, kept.after):
        assert str(model.status) == "READY"
        assert model.params == {"base": "demo/scenes", "dtype": "float32"}
        assert model.tags["editkit.base"] == "demo/scenes"
    assert kept.after.tags["editkit.patch_digest"] == demo_patch.digest
    assert kept.after.tags["editkit.recipe_digest"] == demo_patch.provenance.recipe_digest


def test_its_files_are_the_patch_and_what_loads_it(folder: Path, demo_patch: Patch) -> None:
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    patch = f"patch/{PATCH}"
    texts = {"MLmodel", "model.py", "requirements.txt", "python_env.yaml", "conda.yaml"}
    assert files - {"registered_model_meta"} == {
        patch,
        *texts,
        "input_example.json",
        "serving_input_example.json",
    }
    assert Patch.load(folder / patch) == demo_patch
    for name in files - {patch, "registered_model_meta"}:
        text = (folder / name).read_text()
        assert "gun" not in text
        if "example" in name:
            continue  # base64 has slashes of its own
        # MLflow keeps the place of the model itself, and no other.
        assert "/" not in text.replace(folder.as_uri(), "").replace("demo/scenes", "").replace(patch, "")
    assert "pickle" not in (folder / "MLmodel").read_text()


def test_what_it_needs_is_what_is_installed_here(folder: Path) -> None:
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert lines == requirements()
    assert all(line.partition("==")[2] and "+" not in line for line in lines)
    assert {line.partition("==")[0] for line in lines} >= {"editkit", "torch", "transformers", "mlflow"}
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": lines}
    python = yaml.safe_load((folder / "python_env.yaml").read_text())
    assert python["dependencies"] == ["-r requirements.txt"]


def test_it_answers_as_the_patched_model_does(folder: Path, demo: Editable, demo_patch: Patch) -> None:
    model = mlflow.pyfunc.load_model(str(folder))
    shown = [picture(f"{at}.png", scene(5, at)) for at in range(2)]
    asked = [
        question(PROMPT, [shown[0]], chat=True),
        question("the gun"),
        question(PROMPT, [shown[1]], chat=True),
    ]
    with patched(demo.model, demo_patch):
        said = [one.text for one in answers(demo, asked, max_new_tokens=12)]
    plain = [one.text for one in answers(demo, asked, max_new_tokens=12)]
    assert said != plain

    file = folder / "shown.png"
    file.write_bytes(shown[0].encoded())
    encoded = base64.b64encode(shown[1].encoded()).decode()
    rows = [
        {"prompt": PROMPT, "image": str(file)},
        {"prompt": "the gun", "image": None},
        {"prompt": PROMPT, "image": f"data:image/png;base64,{encoded}"},
    ]
    length = {"max_new_tokens": 12}
    assert model.predict(pandas.DataFrame(rows), params=length) == said
    assert model.predict({name: [row[name] for row in rows[::2]] for name in rows[0]}, length) == said[::2]
    assert model.predict([{"prompt": "the gun"}], params=length) == said[1:2]
    assert model.predict([{"prompt": PROMPT, "image": encoded}], {"max_new_tokens": 1}) != said[2:]
    assert len(model.predict(model.input_example)) == 1
    assert model.metadata.signature.inputs.required_input_names() == ["prompt"]


def test_the_base_may_lie_in_a_folder(
    folder: Path, demo: Editable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "base"
    shutil.copytree(demo.folder, copied)
    asked, length = [{"prompt": "the gun"}], {"max_new_tokens": 4}
    said = mlflow.pyfunc.load_model(str(folder)).predict(asked, length)
    given = mlflow.pyfunc.load_model(str(folder), model_config={"base": str(copied)})
    assert given.predict(asked, length) == said
    monkeypatch.setenv("MLFLOW_PYFUNC_INFERENCE_CONFIG", json.dumps({"base": str(copied)}))
    (copied / "config.json").unlink()
    with pytest.raises(ModelError, match="no checkpoint"):
        mlflow.pyfunc.load_model(str(folder))


def test_another_base_is_refused(folder: Path, tiny_checkpoint: Any) -> None:
    for base in (tiny_checkpoint("llava"), tiny_checkpoint("llama")):
        with pytest.raises(PatchError, match="base differs") as caught:
            mlflow.pyfunc.load_model(str(folder), model_config={"base": str(base)})
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="no such folder"):
        mlflow.pyfunc.load_model(str(folder), model_config={"base": "./nowhere"})


def test_a_local_base_is_named_by_who_loads_it(patch_path: Path) -> None:
    config = settings(Base("sha256:" + "0" * 64, None, "float32", "0" * 64), chat="auto")
    assert config["base"] is None
    with pytest.raises(ModelError, match="MLFLOW_PYFUNC_INFERENCE_CONFIG") as caught:
        edited(patch_path, config)
    assert "\n" not in str(caught.value)
    hub = Base("org/name", "abc", "bfloat16", "0" * 64)
    assert settings(hub, chat=False)["base"] == "org/name@abc"


def test_a_picture_that_is_none_is_named_by_its_row(demo: Editable) -> None:
    with pytest.raises(InputError, match="row 1: image is neither a file here nor base64"):
        questions(demo, [{"prompt": "a"}, {"prompt": "b", "image": "no such file.png"}], "auto")
    (asked,) = questions(demo, [{"prompt": "a", "image": base64.b64encode(b"x").decode()}], chat=False)
    assert asked.images == (Picture("row 0", b"x"),)
    assert not asked.chat


def test_the_input_example_shows_a_picture_and_can_be_sent_to_a_server(folder: Path) -> None:
    sent = json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]
    assert sent == json.loads((folder / "input_example.json").read_text())
    assert sent["columns"] == ["prompt", "image"]
    ((prompt, image),) = sent["data"]
    assert prompt == PROMPT
    assert Picture("example", base64.b64decode(image)).open().size == (32, 32)
