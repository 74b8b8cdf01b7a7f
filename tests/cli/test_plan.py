"""`editkit plan`: everything apply would do, from small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from editkit.cli.output import size
from tests.families.odd import build_odd

FACT = """
version: 1
name: fact
model: {model}
edits: [{{rewrite: {{prompt: I see a, from: gun, to: cup, paraphrases: [You see a]}}}}]
control: {{prompts: [the fork, the table, mom went], count: 3}}
solve: {{preserve: 3}}
evaluate: {{max_new_tokens: 4}}
"""


@pytest.fixture
def fact(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    file = tmp_path / "fact.yaml"
    file.write_text(FACT.format(model=tiny_checkpoint("gpt2")))
    return file


def test_it_shows_what_would_be_done_and_writes_nothing(call: Any, fact: Path) -> None:
    answer = call("plan", fact)
    assert answer.code == 0
    for said in (
        "method: gradient",  # the resolved recipe
        "Guns",
        "transformer.h.{}.mlp.c_proj",
        "neurons are rows",
        "parameters",
        "of memory, estimated from shapes",
        "would write fact.editkit.safetensors",
    ):
        assert said in answer.out
    assert "held_out" not in answer.out
    assert list(fact.parent.iterdir()) == [fact]


def test_as_a_document(call: Any, fact: Path) -> None:
    document = call("--json", "plan", fact).document
    assert document["status"] == "planned"
    assert document["edits"][0]["forms"][0]["text"] == "gun"
    assert [one["shape"] for one in document["modules"]] == [[128, 32]] * 3
    memory = document["memory"]
    assert memory["total"] == memory["weights"] + max(memory["answering"], memory["solving"])
    assert memory["for"]["prompt"] > 3
    assert document["stored_bytes"] == 4 * document["parameters"]
    assert document["dtype"] == "float32"
    assert document["guess"] is None
    assert not {"asked", "cases"} & set(document)


def test_asking_the_model_counts_the_cases(call: Any, fact: Path) -> None:
    document = call("--json", "plan", "--ask", fact).document
    assert document["asked"] == 5
    assert document["cases"] == {"control": 2, "preserve": 1, "edit": 1, "held_out": 1}
    assert "held_out" in call("plan", "--ask", fact).out


def test_a_dry_run_of_apply_is_the_same(call: Any, fact: Path) -> None:
    assert call("--json", "apply", "--dry-run", fact).document == call("--json", "plan", fact).document


def test_code_of_the_model_and_a_guess_are_told_with_the_lines_that_allow_them(
    call: Any, tmp_path: Path
) -> None:
    build_odd(tmp_path / "odd")
    (tmp_path / "odd.yaml").write_text(FACT.format(model="./odd"))
    refused = call("plan", "odd.yaml")
    assert refused.code == 1
    assert "model.trust_remote_code: true" in refused.err
    trusted = ("plan", "odd.yaml", "--set", "model.trust_remote_code=true")
    answer = call(*trusted)
    assert answer.code == 0
    assert 'model.w_out: "model.layers.{}.mlp.back"' in answer.out.splitlines()
    assert "runs code of the model's own repository" in answer.out
    document = call("--json", *trusted).document
    assert (document["guess"], document["trust_remote_code"]) == ("model.layers.{}.mlp.back", True)
    confirmed = call(*trusted, "--set", "model.w_out=model.layers.{}.mlp.back")
    assert "is not known" not in confirmed.out


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_999, "1 MB"),
        (11_234_824, "11.2 MB"),
        (16_060_522_496, "16.1 GB"),
    ],
)
def test_bytes_as_people_say_them(count: int, said: str) -> None:
    assert size(count) == said
