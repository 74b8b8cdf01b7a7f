from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import Problem, RecipeError
from editkit.recipe import load_recipe, parse_recipe
from editkit.recipe.parts import MODEL_FORMS

SMALL = (
    "version: 1\nname: small\nmodel: demo/scenes\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"
)


def problems(text: str, **more: Any) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "x.yaml", **more)
    return [str(problem) for problem in caught.value.problems]


FULL = {
    **yaml.safe_load(SMALL),
    "model": {"id": "demo/scenes"},
    "probe": {"images": {"coco": "a", "images": "b"}, "sampled": {"prompt": ""}},
    "control": {"images": {"folder": "a"}, "prompts": {"file": "x"}},
    "edits": [
        {"suppress": ["gun"]},
        {"map": {"from": "fork", "to": "spoon"}},
        {"rewrite": {"prompt": "p", "from": "a", "to": "b"}},
    ],
    "evaluate": {"batch_size": 2},
    "track": {"privacy": {"published": "omit"}},
}
CLOSED = (
    "", "model", "probe", "probe.images", "probe.sampled", "control", "control.images", "control.prompts",
    "edits[0]", "edits[1]", "edits[1].map", "edits[2].rewrite", "evaluate", "track", "track.privacy",
)  # fmt: skip


@given(st.sampled_from(CLOSED), st.from_regex(r"[a-z]{3,9}q", fullmatch=True))
def test_any_unknown_key_is_refused_with_its_path(place: str, key: str) -> None:
    data = copy.deepcopy(FULL)
    inner: Any = data
    for step in place.replace("[", ".").replace("]", "").split("."):
        if step:
            inner = inner[int(step) if step.isdecimal() else step]
    inner[key] = 1
    (told,) = problems(yaml.safe_dump(data))
    assert f": {place}.{key}: unknown key".replace(": .", ": ") in told


def test_all_problems_are_told_at_once_with_lines_and_paths() -> None:
    text = """version: 1
name: Small
modle: demo/scenes
seed: "3"
probe:
  images: {dmo: guns, count: 0}
edits:
  - supress: gun
    when: absnt
  - map: {from: fork, too: 7}
  - suppress: no
locate: {top: none}
accept: {efficay: ">= 1", drift: 0.3}
track: {privacy: {published: hsh}}
"""
    told = problems(text)
    for expected in (
        f"x.yaml:1: model: is missing: {MODEL_FORMS}",
        "x.yaml:2: name: expected lower-case letters, digits and hyphens, such as fix-hallucination",
        "x.yaml:3: modle: unknown key, did you mean model?",
        "x.yaml:4: seed: expected a whole number",
        "x.yaml:6: probe.images.demo: is missing",
        "x.yaml:6: probe.images.dmo: unknown key, did you mean demo?",
        "x.yaml:6: probe.images.count: expected a number of at least 1",
        "x.yaml:8: edits[0].supress: unknown key, did you mean suppress?",
        "x.yaml:9: edits[0].when: expected everywhere or absent (did you mean absent?)",
        "x.yaml:10: edits[1].map.to: is missing: the word to say instead",
        "x.yaml:10: edits[1].map.too: unknown key, did you mean to?",
        "x.yaml:11: edits[2].suppress: expected text, and YAML reads this as yes or no: quote it",
        "x.yaml:12: locate.top: expected a whole number or all",
        'x.yaml:13: accept.drift: expected a condition in quotes, such as ">= 0.95" or "<= 0.02"',
        "x.yaml:14: track.privacy.published: expected plain, hash or omit (did you mean hash?)",
    ):
        assert expected in told
    assert any("accept.efficay" in line and "did you mean efficacy?" in line for line in told)
    assert "x.yaml:7: edits: expected at least 1 item" not in told


@given(st.text(alphabet="XYZ", min_size=6, max_size=9))
def test_no_message_quotes_a_value(secret: str) -> None:
    text = (
        f"version: {secret}\nname: {secret}\nseed: {secret}\nmodel: [{secret}]\n"
        f"probe: {{prompts: {secret}, chat: {secret}}}\n"
        f"edits: [{secret}, {{suppress: [{secret}, {secret}], when: {secret}}}]\n"
        f"locate: {{top: {secret}, layers: {secret}}}\naccept: {{drift: {secret}}}\nevaluate: {secret}\n"
    )
    assert secret not in "\n".join(problems(text))


def test_a_check_adds_its_problems_with_places() -> None:
    def check(document: Any) -> list[Problem]:
        return [Problem("locate.tokens", f"no {sorted(document)[0]}"), Problem("seed", "told twice")]

    told = problems(SMALL + "seed: x\nlocate:\n  tokens: 1\n", check=check)
    assert told == ["x.yaml:6: seed: expected a whole number", "x.yaml:8: locate.tokens: no edits"]


def test_problems_found_later_have_lines_too() -> None:
    error = parse_recipe(SMALL + "solve:\n  rate: 3\n", "x.yaml").refusal([Problem("solve.rate", "too high")])
    assert str(error) == "x.yaml:7: solve.rate: too high"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        (b"", "is empty: a recipe has version, name, model and edits"),
        (b"- 1", ":1: expected keys with values: a recipe has version, name, model and edits"),
        (b"\xff\xfe\x00", "no UTF-8 text"),
        (b"a" * 1_000_002, "larger than 1 MB"),
        (b"\xff" * 1_000_002, "larger than 1 MB"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "r.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert len(caught.value.problems) == 1


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="a folder"):
        load_recipe(tmp_path)
