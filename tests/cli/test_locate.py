"""`editkit locate`, as people call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Call

TEXT = """
version: 1
name: look
model: demo/scenes
probe: {images: {demo: guns, count: 12}, twins: {cache: twins, count: 4}}
control: {count: 4}
edits: [{suppress: gun}]
locate: {top: 4}
solve: {preserve: 4}
evaluate: {max_new_tokens: 12}
"""


@pytest.fixture
def look(tmp_path: Path) -> Path:
    place = tmp_path / "look.yaml"
    place.write_text(TEXT)
    return place


def test_it_prints_score_layer_and_tokens(call: Call, look: Path) -> None:
    answer = call("locate", look)
    assert answer.code == 0
    for word in ("neuron", "layer", "score", "what it writes most", "L3.N"):
        assert word in answer.out


def test_figures_of_two_stages_with_twins_and_thresholds(call: Call, look: Path) -> None:
    answer = call("locate", look, "--set", "locate.method=two_stage", "--figures", "seen", "--json")
    assert answer.code == 0, answer.err
    expected = {"layers", "ranks", "edit0_tokens", "edit0_heat_best", "edit0_heat_top", "edit0_twins"}
    expected |= {"edit0_thresholds", "edit0_seen"}
    written = {Path(name).stem for name in answer.document["figures"]}
    assert written == expected
    for name in answer.document["figures"]:
        with Image.open(name) as picture:
            assert min(picture.size) > 100
    assert len(answer.document["neurons"]) == 4


def test_a_comparison_is_printed_and_kept_in_mlflow(call: Call, look: Path, store: str) -> None:
    from mlflow import MlflowClient

    names = "contribution,random"
    answer = call("locate", look, "--compare", names, "--erase", "32", "--set", f"track.uri={store}")
    assert answer.code == 0, answer.err
    for words in (
        "contribution",
        "random",
        "causal effect",
        "Share of neurons in common",
        "share in layer 3",
    ):
        assert words in " ".join(answer.out.split())
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("editkit")
    assert experiment is not None
    run = client.search_runs([experiment.experiment_id])[0]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["contribution/causal_effect"] > run.data.metrics["random/causal_effect"]
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"comparison.md", "figures", "recipe.yaml"} <= files


def test_a_comparison_as_json(call: Call, look: Path) -> None:
    answer = call("locate", look, "--compare", "random", "--no-track", "--json", "-o", "found.json")
    assert answer.code == 0, answer.err
    document = answer.document
    assert document == json.loads(Path("found.json").read_text())
    assert document["methods"][0]["figures"]["causal_effect"]["value"] is not None
    assert document["methods"][0]["overlap"] == {"random": 1.0}
    assert not Path("mlflow.db").exists()


def test_a_curve_says_how_many_are_enough(
    call: Call, tmp_path: Path, tiny_checkpoint: Callable[..., Path]
) -> None:
    from tests.study.test_curve import FACT

    (tmp_path / "fact.yaml").write_text(FACT % tiny_checkpoint("llama"))
    answer = call("locate", "fact.yaml", "--curve", "1,24", "--figures", "seen")
    assert answer.code == 0, answer.err
    assert "neurons are enough" in answer.out or "never reached" in answer.out
    assert Path("seen/curve.png").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--compare", "contribution", "--curve", "1"), "one at a time"),
        (("--compare", ","), "nothing to compare"),
        (("--compare", "gradient:at=[,random"), "is no value"),
        (("--erase", "4"), "give both"),
        (("--compare", "random", "--set", "locate.top=all"), "give locate.top a number"),
        (("--curve", "0"), "write numbers of neurons"),
        (("--curve", "1", "--set", "model.load_in=8bit"), "model.load_in"),
        (("--figures", "look.yaml"), "is a file"),
        (("--figures", "look.yaml/seen"), "can't be written"),
        (("-o", "look.yaml/found.json"), "can't be written"),
        (("--set", "locate.method=gradient", "--set", "locate.layers=[3]"), "gives 0 to every neuron"),
        (("--set", "locate.method=two_stage", "--set", "locate.layers=[3]"), "gradient of every neuron is 0"),
        (("--curve", "many"), "write numbers of neurons such as 1,2,4,8,16"),
        (("--compare", "contribusion"), "did you mean contribution"),
        (("--set", "locate.method=two_stage", "--set", "locate.quantile=2"), "locate.quantile"),
        (("--set", "locate.method=listed", "--set", "locate.neurons=[L9.N0]"), "layers 0 to 3, not 9"),
        (("--set", "edits[0].suppress=submarine"), "the model says no form of the source"),
        (("--set", "probe.twins.method=biharmonics"), "did you mean biharmonic"),
    ],
)
def test_bad_input_is_one_sentence(call: Call, look: Path, more: tuple[str, ...], says: str) -> None:
    answer = call("locate", look, *more)
    assert answer.code in (1, 2)
    assert says in answer.err
    assert "Traceback" not in answer.err


def test_listed_neurons_are_compared_with_their_commas(call: Call, look: Path) -> None:
    names = "listed:neurons=[L3.N1, L2.N5],random"
    answer = call("locate", look, "--compare", names, "--no-track", "--json")
    assert answer.code == 0, answer.err
    listed, random = answer.document["methods"]
    assert listed["neurons"] == [["L3.N1", "L2.N5"]]
    assert random["name"] == "random"
    assert answer.document["erased"] == 4


def test_what_is_written_is_what_is_printed(call: Call, tmp_path: Path) -> None:
    """JSON has no NaN: a single prompt has no second picture to compare with."""
    from tests.study.test_curve import FACT

    (tmp_path / "fact.yaml").write_text(FACT % "demo/scenes")
    answer = call("locate", "fact.yaml", "--compare", "random", "--no-track", "--json", "-o", "f.json")
    assert answer.code == 0, answer.err
    assert "NaN" not in Path("f.json").read_text()
    assert json.loads(Path("f.json").read_text()) == answer.document


def test_a_word_whose_object_no_picture_marks_has_no_twin(call: Call, look: Path, tmp_path: Path) -> None:
    from editkit.demo.sets import scenes
    from editkit.probe.scenes import picture

    (tmp_path / "pictures").mkdir()
    for number, scene in enumerate(scenes("guns", 6, 0)):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(picture("", scene).encoded())
    images = "probe.images={folder: pictures}"
    answer = call("locate", look, "--set", images, "--set", "locate.method=two_stage")
    assert answer.code == 1
    assert "shows the source at a known place" in answer.err
    assert "masks, boxes or COCO instances" in answer.err
