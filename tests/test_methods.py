from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from editkit.errors import RecipeError
from editkit.evaluate import METRICS
from editkit.locate import LOCALIZERS
from editkit.methods import build, load, names, schema
from editkit.solve import SOLVERS

ROOMS = [(LOCALIZERS, "locate", name) for name in LOCALIZERS] + [(SOLVERS, "solve", name) for name in SOLVERS]
NEEDED = {"listed": {"neurons": ["L0.N1"]}}


def refusal(table: dict[str, str], name: str, settings: dict[str, object]) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        build(table, name, settings, "locate", shared=("method", "top", "layers"))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("table", "section", "name"), ROOMS)
def test_every_line_of_a_table_is_a_frozen_closed_method(
    table: dict[str, str], section: str, name: str
) -> None:
    method = build(table, name, NEEDED.get(name, {}), section)
    assert type(method).__name__ == "".join(part.capitalize() for part in name.split("_"))
    assert method.model_config["frozen"]
    assert method.model_config["extra"] == "forbid"


def test_every_metric_of_the_table_is_there() -> None:
    for name in names(METRICS):
        assert load(METRICS, name, "evaluate.metrics").name == name


def test_settings_reach_the_method() -> None:
    assert build(LOCALIZERS, "contribution", {"tokens": "first"}, "locate").tokens == "first"


def test_an_unknown_method_is_told_with_what_it_resembles() -> None:
    assert refusal(LOCALIZERS, "contributon", {}) == [
        "locate.method: unknown name, did you mean contribution?",
    ]
    assert "known here: activation, " in refusal(LOCALIZERS, "zzz", {})[0]


def test_settings_are_all_checked_at_once() -> None:
    told = refusal(LOCALIZERS, "contribution", {"tokns": 1, "tokens": "al", "batch_size": 0, "tpo": 3})
    assert set(told) == {
        "locate.tokns: unknown key, did you mean tokens?",
        "locate.tpo: unknown key, did you mean top?",
        "locate.tokens: expected all or first (did you mean all?)",
        "locate.batch_size: expected a number of at least 1",
    }


def test_a_missing_setting_is_told_with_its_meaning() -> None:
    (told,) = refusal(LOCALIZERS, "listed", {})
    assert told.startswith("locate.neurons: is missing: ")


def test_schema_has_one_closed_variant_for_each_method() -> None:
    section = {"properties": {"method": {"type": "string"}, "top": {"type": "integer"}}, "description": "d"}
    composed, definitions = schema(LOCALIZERS, section, "contribution")
    validator = jsonschema.Draft202012Validator({**composed, "$defs": definitions})
    assert [variant["title"] for variant in composed["anyOf"]] == list(LOCALIZERS)
    assert validator.is_valid({"top": 3, "tokens": "first"})
    assert validator.is_valid({"method": "listed", "neurons": ["L0.N1"]})
    assert not validator.is_valid({"method": "listed"})
    assert not validator.is_valid({"method": "contribution", "neurons": ["L0.N1"]})
    assert not validator.is_valid({"tokns": 1})


def test_definitions_of_methods_do_not_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from pydantic import BaseModel as B\nclass In(B):\n    {0}: int\nclass M(B):\n    part: In\n"
    for name in ("first_room", "second_room"):
        (tmp_path / f"{name}.py").write_text(source.format(f"of_{name}"))
    monkeypatch.syspath_prepend(tmp_path)
    table = {"first": "first_room:M", "second": "second_room:M"}
    composed, definitions = schema(table, {"properties": {"method": {}}}, "first")
    assert set(definitions) == {"first.In", "second.In"}
    validator = jsonschema.Draft202012Validator({**composed, "$defs": definitions})
    assert validator.is_valid({"method": "second", "part": {"of_second_room": 1}})
    assert not validator.is_valid({"method": "second", "part": {"of_first_room": 1}})


def test_methods_are_checked_without_torch() -> None:
    code = (
        "import sys\nfrom editkit.methods import build\nfrom editkit.locate import LOCALIZERS\n"
        "from editkit.solve import SOLVERS\nbuild(LOCALIZERS, 'contribution', {}, 'locate')\n"
        "build(SOLVERS, 'gradient', {}, 'solve')\nassert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
