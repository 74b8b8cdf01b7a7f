"""What people decide is kept, shown, and moves the aliases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient

from editkit.errors import TrackError, UsageError
from editkit.plan import PlannedEdit
from editkit.recipe import Recipe
from editkit.report import Report
from editkit.track import review as room
from editkit.track.reading import edits
from editkit.track.review import review
from editkit.track.run import open_run


@pytest.fixture
def run_id(recipe: Recipe, report: Report, patch_path: Path) -> str:
    with open_run(recipe) as run:
        run.finish(report, patch_path)
    assert run.run_id is not None
    return run.run_id


def test_a_decision_is_kept_in_the_run_and_moves_the_aliases(store: str, run_id: str) -> None:
    done = review(store, run_id[:9], "rejected", by="Ann  B.", note="says *bag*\nfor  cup")
    client = MlflowClient(store)
    run = client.get_run(run_id)
    tags = run.data.tags
    assert (tags["editkit.review"], tags["editkit.verdict"]) == ("rejected", "accepted")
    assert (tags["editkit.reviewed_by"], tags["editkit.review_note"]) == ("Ann B.", "says *bag* for cup")
    at = datetime.fromisoformat(tags["editkit.reviewed_at"])
    assert at.utcoffset() == UTC.utcoffset(None)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    shown = tags["mlflow.note.content"]
    first = f"**Reviewed: rejected** by Ann B., {tags['editkit.reviewed_at']}: says \\*bag\\* for cup"
    assert shown.startswith(f"{first}\n\n---\n\n**Accepted.**")
    assert done.run_id == run_id
    assert done.moved == {"candidate": "1", "rejected": "1"}
    version = client.get_model_version("redact", "1")
    assert version.tags["editkit.review"] == "rejected"
    assert version.description.startswith("**Reviewed: rejected** by Ann B.")

    again = review(store, run_id, "accepted", by="Bob", note="I looked again")
    assert again.earlier == 1
    assert again.moved == {"candidate": "1", "accepted": "1"}
    tags = client.get_run(run_id).data.tags
    assert tags["mlflow.note.content"].count("Reviewed:") == 1
    assert tags["mlflow.note.content"].partition("\n\n---\n\n")[2] == shown.partition("\n\n---\n\n")[2]
    history = json.loads(tags["editkit.reviews"])
    assert [(one["decision"], one["by"]) for one in history] == [("rejected", "Ann B."), ("accepted", "Bob")]
    files = sorted(client.list_artifacts(run_id, "reviews"), key=lambda file: file.path)
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert [json.loads((folder / file.path).read_text())["by"] for file in files] == ["Ann B.", "Bob"]


def test_an_edit_that_is_not_registered_can_be_reviewed(store: str, run_id: str) -> None:
    client = MlflowClient(store)
    client.delete_registered_model("redact")
    done = review(store, run_id, "accepted", by="Ann", note="fine")
    assert done.moved == {}
    assert client.get_run(run_id).data.tags["editkit.review"] == "accepted"


def test_a_history_too_long_for_a_tag_keeps_every_decision(store: str, run_id: str) -> None:
    client = MlflowClient(store)
    old = [{"decision": "rejected", "by": "Ann", "at": f"{at}", "note": "x" * 1900} for at in range(4)]
    client.set_tag(run_id, room.HISTORY, json.dumps(old[:2]))
    assert len(room._fitting(old)) <= room.LONGEST_TAG
    assert [one["at"] for one in json.loads(room._fitting(old))] == ["0", "1", "2", "3"]
    assert review(store, run_id, "accepted", by="Bob", note="y" * 2000).earlier == 2
    client.set_tag(run_id, room.HISTORY, "spoilt")
    assert review(store, run_id, "accepted", by="Bob", note="fine").earlier == 0


@pytest.mark.parametrize(
    ("by", "note", "words"),
    [
        ("Ann", " \n", "says why, in 1 to 2,000"),
        ("Ann", "x" * 2001, "2,001"),
        (" ", "fine", "give --by NAME"),
    ],
)
def test_a_review_says_who_and_why(by: str, note: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        review("sqlite:///nowhere.db", "abc", "accepted", by=by, note=note)


def test_a_run_that_is_not_meant_is_told_in_one_sentence(
    recipe: Recipe, store: str, edit: PlannedEdit, run_id: str
) -> None:
    with open_run(recipe, name="other") as run, run.edit(edit) as nested:
        part = nested.run_id

    def refused(asked: str) -> str:
        with pytest.raises(UsageError) as caught:
            review(store, asked, "accepted", by="Ann", note="fine")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no such run" in refused("f" * 32)
    assert "no run id" in refused("' OR 1=1")
    assert "not the run of a finished edit: it is a part of run" in refused(part)
    assert run.run_id is not None
    assert refused(run.run_id).endswith("not the run of a finished edit")


def test_stores_that_cannot_be_read(store: str, tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="no runs yet"):
        edits(f"sqlite:///{tmp_path}/nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(TrackError, match="no experiment 'other'"):
        edits(store, "other")
    assert edits(store) == []
