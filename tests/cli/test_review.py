"""`editkit runs` and `editkit review` on a store with two edits."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from editkit.cli.review import who
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.recipe import parse_recipe
from editkit.track.run import open_run
from tests.track.conftest import report_of

RECIPE = "version: 1\nname: {}\nmodel: demo/scenes\nprobe: {{prompts: [Hi]}}\nedits: [{{suppress: gun}}]\n"


@pytest.fixture(scope="session")
def patch(demo: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]) -> Patch:
    made = patch_of(demo, random_rows(demo, seed=1, layers=[0]))
    return replace(made, base=replace(made.base, id="demo/scenes"))


@pytest.fixture
def two(store: str, tmp_path: Path, patch: Patch) -> list[str]:
    """An accepted edit, and a newer one that was rejected."""
    patch.save(tmp_path / "one.editkit.safetensors")
    found = []
    for name, accepted in (("one", True), ("two", False)):
        recipe = parse_recipe(
            RECIPE.format(name), overrides=[f"track.uri={store}", f"track.experiment={name}"]
        )
        with open_run(recipe) as run:
            run.finish(report_of(accepted=accepted), tmp_path / "one.editkit.safetensors")
        assert run.run_id is not None
        found.append(run.run_id)
    return found


def test_a_reviewer_lists_the_edits_and_decides(call: Any, store: str, two: list[str], patch: Patch) -> None:
    lines = call("runs", "--uri", store).out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["two", "rejected", two[1][:8]],
        ["one", "accepted", two[0][:8]],
    ]
    assert patch.digest[:8] in lines[1]
    assert call("-q", "runs", "--uri", store).out.split() == two[::-1]

    answer = call("review", two[1][:10], "--accept", "--note", "good enough", "--by", "Ann", "--uri", store)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[0].startswith("accepted by Ann at 20")
    assert "the recipe's own verdict was rejected" in answer.out
    assert "models:/two@accepted is version 1" in answer.out
    again = call(
        "--json", "review", two[1], "--reject", "--note", "no", "--by", "Bob", "--uri", store
    ).document
    assert (again["review"]["decision"], again["earlier"]) == ("rejected", 1)
    assert again["moved"] == {"candidate": "1", "rejected": "1"}

    document = call("--json", "runs", "--experiment", "two", "--uri", store).document
    (only,) = document["runs"]
    assert (only["run_id"], only["review"], only["reviewed_by"]) == (two[1], "rejected", "Bob")
    assert only["scores"]["efficacy"] == 0.5
    assert only["patch_digest"] == patch.digest
    assert MlflowClient(store).get_run(two[0]).data.tags.get("editkit.review") is None


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["review", "abc", "--accept", "--note", "x"], 1, "no runs yet"),
        (["review", "abc", "--note", "x"], 2, "give --accept or --reject"),
        (["review", "abc", "--accept"], 2, "--note"),
        (["runs"], 1, "no runs yet"),
        (["runs", "--uri", "http://127.0.0.1:9"], 1, "can't be used"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(call: Any, args: list[str], code: int, words: str) -> None:
    answer = call(*args)
    assert answer.code == code
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1


def test_an_empty_store_has_no_edits(call: Any, store: str) -> None:
    answer = call("runs", "--uri", store)
    assert (answer.code, answer.out, answer.err) == (0, "", "no edits yet\n")
    assert call("review", "abc", "--accept", "--note", "x", "--uri", store).code == 2


def test_who_reviews_is_who_git_knows_or_who_is_logged_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n name = Ann Bee\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    if subprocess.run(["git", "--version"], capture_output=True, check=False).returncode == 0:
        assert who() == "Ann Bee"
    settings.write_text("")
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert who() == "ann"
    monkeypatch.setenv("PATH", "")
    assert who() == "ann"
