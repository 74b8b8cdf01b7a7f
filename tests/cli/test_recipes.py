from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from editkit.cli.shipped import about, shipped

NAMES = [
    "fix-hallucination",
    "gpt2-rewrite-fact",
    "instructblip-fix-hallucination",
    "llama-redact",
    "llava-redact",
    "minigpt4-fix-hallucination",
    "qwen2-5-vl-redact",
    "qwen3-rename",
    "redact",
    "rewrite-fact",
]


def test_ls(call: Any) -> None:
    assert [one["name"] for one in call("--json", "ls").document["recipes"]] == NAMES
    assert call("-q", "ls").out.split() == NAMES
    lines = call("ls").out.splitlines()
    assert lines[NAMES.index("redact")].split()[:3] == ["redact", "Removes", "a"]
    assert all(line.endswith(".") and len(line) <= 140 for line in lines)


def test_recipes_are_found_inside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "editkit" / "recipes").mkdir(parents=True)
    (tmp_path / "editkit" / "recipes" / "mine.yaml").write_text(
        "# run\n#\n# Does it.\n# More of it\nversion: 1\n"
    )
    monkeypatch.setattr("editkit.cli.shipped.PACKAGE", tmp_path / "editkit")
    assert list(shipped()) == ["mine"]
    assert about(shipped()["mine"]) == "Does it."


def test_cp_then_validate(call: Any, tmp_path: Path) -> None:
    assert call("cp", "redact").code == 0
    assert (tmp_path / "redact.yaml").read_text().startswith("# editkit apply redact.yaml\n")
    assert call("validate", "redact.yaml").code == 0


def test_cp_to_a_place(call: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert call("--json", "cp", "redact", "folder").document["recipe"] == "folder/redact.yaml"
    assert call("-q", "cp", "redact", "mine.yaml").out == "mine.yaml\n"
    assert (tmp_path / "mine.yaml").is_file()


def test_cp_never_overwrites_unasked(call: Any, tmp_path: Path) -> None:
    (tmp_path / "redact.yaml").write_text("mine")
    answer = call("cp", "redact")
    assert answer.code == 1
    assert "--force" in answer.err
    assert (tmp_path / "redact.yaml").read_text() == "mine"
    assert call("cp", "redact", "--force").code == 0
    assert (tmp_path / "redact.yaml").read_text() != "mine"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["cp", "redat"], 2, "did you mean redact?"),
        (["cp", "zzz"], 2, "there are fix-hallucination, gpt2"),
        (["cp", "redact", "no/such/place.yaml"], 1, "can't be written"),
        (["validate", "redact"], 2, "editkit cp redact"),
        (["validate", "nothing.yaml"], 2, "nothing.yaml: no such file"),
        (["schema", "-o", "no/such/place.json"], 1, "can't be written"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(call: Any, args: list[str], code: int, words: str) -> None:
    answer = call(*args)
    assert answer.code == code
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1


def test_validate(call: Any, recipe: Path) -> None:
    assert call("validate", recipe).out.startswith(f"{recipe}: good (small, digest ")
    assert set(call("--json", "validate", recipe).document) == {"status", "recipe", "digest"}
    changed = call("--json", "validate", recipe, "--set", "seed=3").document["digest"]
    assert changed != call("--json", "validate", recipe).document["digest"]


def test_validate_tells_every_problem(call: Any, recipe: Path) -> None:
    args = ("validate", recipe, "--set", "locate.tokns=1", "--set", "seed=x")
    answer = call(*args)
    assert answer.code == 2
    assert set(answer.err.splitlines()) == {
        "--set: locate.tokns: unknown key, did you mean tokens?",
        "--set: seed: expected a whole number",
    }
    document = call("--json", *args).document
    assert document["status"] == "failed"
    assert {problem["path"] for problem in document["problems"]} == {"locate.tokns", "seed"}


def test_schema(call: Any, tmp_path: Path) -> None:
    assert call("schema", "-o", "recipe.schema.json").out == ""
    assert (tmp_path / "recipe.schema.json").read_text() == call("schema").out
