"""What `editkit push` and `editkit pull` say without a Hub; tests/export has them with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editkit.patch.file import Patch
from tests.cli.test_show import GOLDEN

OPEN = "open.editkit.safetensors"


@pytest.mark.parametrize("command", [("push", OPEN, "org/edit"), ("pull", "org/edit")])
def test_offline_is_one_sentence(
    call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_any")
    golden = Patch.load(GOLDEN)
    # One that hides no words, so that there are none to be looked for.
    replace(golden, provenance=replace(golden.provenance, edits=())).save(tmp_path / OPEN)
    answer = call("--json", *command)
    said = "org/edit: HF_HUB_OFFLINE is set, so the Hub is not asked: unset it"
    assert (answer.code, answer.document) == (1, {"status": "failed", "error": said})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("push", GOLDEN, "edit"), "edit: say whose it is as well: org/edit"),
        (("push", GOLDEN, "org/../edit"), "'org/../edit': no name of a repository: org/name"),
        (("push", GOLDEN, "org/edit", "--create-pr", "--revision", "next"), "a pull request is made against"),
        (("pull", "edit"), "edit: say whose it is as well: org/edit"),
        (("push", "nowhere", "org/edit"), "'nowhere' does not exist"),
    ],
)
def test_what_can_not_be_meant(call: Any, command: tuple[str | Path, ...], said: str) -> None:
    answer = call(*command)
    assert answer.code == 2
    assert said in answer.err.splitlines()[-1]


def test_a_place_that_is_taken_is_found_out_first(call: Any, tmp_path: Path) -> None:
    (tmp_path / "edit").mkdir()
    (tmp_path / "edit" / "mine.txt").write_text("mine")
    for command in (("pull", "org/edit"), ("pull", "org/edit", "--force")):
        answer = call(*command)
        assert answer.code == 1
        assert "edit: is there already" in answer.err
    assert call("push", GOLDEN, "org/edit", "--base", "a//b").code == 1
