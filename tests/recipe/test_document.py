from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from editkit.demo.sets import SETS
from editkit.errors import RecipeError
from editkit.evaluate import METRICS
from editkit.recipe import (
    Condition,
    DemoImages,
    FolderImages,
    ModelRef,
    Recipe,
    TextFile,
    load_recipe,
    parse_recipe,
)

ROOT = Path(__file__).parents[2]
SMALL = (
    "version: 1\nname: small\nmodel: demo/scenes\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"
)
WORDS = st.one_of(
    st.sampled_from(["no", "1e-4", "012", "2024-01-01", "ice cream", "#x", "- y", "a: b"]),
    st.text(min_size=1, max_size=8).filter(lambda text: bool(text.strip())),
)
DISTINCT = st.lists(WORDS, min_size=2, max_size=4, unique_by=lambda word: word.strip().casefold())


def small(**keys: Any) -> dict[str, Any]:
    return {**yaml.safe_load(SMALL), **keys}


def test_defaults() -> None:
    recipe = parse_recipe(SMALL)
    assert recipe.seed == 0
    assert recipe.model == ModelRef(id="demo/scenes")
    assert recipe.probe.images == DemoImages(demo="guns")
    assert recipe.probe.prompts == ("Describe the image in few words.",)
    assert recipe.control.images == recipe.control.prompts == "auto"
    assert (recipe.locate.method, recipe.locate.top, recipe.locate.settings) == ("contribution", 8, {})
    assert (recipe.solve.method, recipe.solve.settings) == ("gradient", {})
    assert recipe.evaluate.scored == recipe.evaluate.metrics
    assert (
        {"efficacy", "locality", "drift", "bleu", "repetition"} < set(recipe.evaluate.metrics) < set(METRICS)
    )
    assert recipe.accept == {"efficacy": Condition(">=", 0.95), "locality": Condition(">=", 0.98)}
    assert recipe.track.privacy.published == "hash"
    assert recipe.track.registry is True
    (edit,) = recipe.edits
    assert (edit.kind, edit.sources, edit.targets, edit.when) == ("suppress", ("gun",), (), "everywhere")


def test_demo_sets_are_those_of_the_demo() -> None:
    for name in SETS:
        assert Recipe.model_validate(small(probe={"images": {"demo": name}})).probe.images == DemoImages(
            demo=name
        )


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("org/name", ModelRef(id="org/name")),
        ("org/name@v1", ModelRef(id="org/name", revision="v1")),
        ("./a@b", ModelRef(id="./a@b")),
    ],
)
def test_models_in_short(text: str, ref: ModelRef) -> None:
    assert Recipe.model_validate(small(model=text)).model == ref


def test_short_forms_of_inputs() -> None:
    probe = Recipe.model_validate(
        small(probe={"images": "a/*.png", "prompts": {"file": "p.txt"}, "texts": "t.txt"})
    ).probe
    assert probe.images == FolderImages(folder="a/*.png")
    assert probe.prompts == TextFile(file="p.txt")
    assert probe.texts == TextFile(file="t.txt")


@given(
    DISTINCT, st.sampled_from(["all", "last_half", "2-4", [1, 3]]), st.sampled_from(["everywhere", "absent"])
)
def test_recipe_to_yaml_to_recipe_is_the_identity(words: list[str], layers: object, when: str) -> None:
    recipe = Recipe.model_validate(
        small(
            edits=[
                {"suppress": words[:1], "with": "another thing"},
                {"map": {"from": words[1], "to": words[1] + "s"}, "when": when},
                {"rewrite": {"prompt": words[0], "from": "x", "to": "y", "neighbors": ["n: 1 "]}},
            ],
            locate={"layers": layers, "tokens": "all", "rate": 1e-4},
            accept={"drift": "<= 0.0000123"},
            control={"images": {"folder": "f"}, "prompts": ["a"]},
        )
    )
    again = parse_recipe(recipe.to_yaml())
    assert again == recipe
    assert again.digest == recipe.digest
    assert again.to_yaml() == recipe.to_yaml()
    assert again.locate.settings == {"tokens": "all", "rate": 1e-4}


def test_the_digest_is_of_what_is_edited() -> None:
    recipe = parse_recipe(SMALL)
    assert parse_recipe("# a comment\n" + SMALL, folder=Path("elsewhere")).digest == recipe.digest
    assert parse_recipe(SMALL + "track: {experiment: other, uri: 'sqlite:///x'}\n").digest == recipe.digest
    assert parse_recipe(SMALL + "seed: 1\n").digest != recipe.digest
    assert parse_recipe(SMALL + "locate: {tokens: first}\n").digest != recipe.digest
    assert hash(parse_recipe(SMALL)) == hash(recipe)


def test_paths_begin_at_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    file = tmp_path / "r.yaml"
    file.write_text(SMALL.replace("demo/scenes", "mine"))
    recipe = load_recipe(file)
    assert recipe.base_dir == tmp_path
    assert recipe.resolve("a.txt") == tmp_path / "a.txt"
    assert recipe.resolve("/a.txt") == Path("/a.txt")
    assert recipe.model_ref() == ModelRef(id=str(tmp_path / "mine"))
    assert recipe.model.id == "mine"
    assert parse_recipe(SMALL).model_ref().id == "demo/scenes"


def test_what_only_reads_is_found_the_same_way_and_runs_where_the_model_does(tmp_path: Path) -> None:
    (tmp_path / "org" / "encoder").mkdir(parents=True)
    recipe = parse_recipe(SMALL, folder=tmp_path, overrides=["model.device=cuda"])
    beside = str(tmp_path / "org" / "encoder")
    assert recipe.reader_ref("org/encoder") == ModelRef(id=beside, device="cuda")
    assert recipe.reader_ref("./encoder").id == str(tmp_path / "encoder")
    assert recipe.reader_ref("org/other@main") == ModelRef(id="org/other", revision="main", device="cuda")
    spread = parse_recipe(SMALL, overrides=["model.device=auto"])
    assert spread.reader_ref("org/other").device == "cpu"


def test_precedence(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(SMALL + "locate: {top: 2}\n")
    environ = {
        "EDITKIT_LOCATE__TOP": "3",
        "EDITKIT_SEED": "5",
        "EDITKIT_HOME": "/x",
        "EDITKIT_REAL_DATA": "/y",
    }
    assert load_recipe(file, environ={}).locate.top == 2
    assert load_recipe(file, environ=environ).locate.top == 3
    assert load_recipe(file, ["locate.top=4"], environ).locate.top == 4
    assert load_recipe(file, environ=environ).seed == 5


def test_the_process_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(SMALL)
    monkeypatch.setenv("EDITKIT_LOCATE__TOP", "all")
    assert load_recipe(file).locate.top == "all"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_that_ship(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    command = path.read_text().partition("\n")[0]
    assert re.fullmatch(rf"# editkit apply recipes/{path.name}( --set [a-z.]+=[A-Z]+)*", command)
    assert parse_recipe(recipe.to_yaml()) == recipe
    for edit in recipe.edits:
        assert edit.kind != "rewrite" or (len(edit.rewrite.paraphrases) >= 7 and edit.rewrite.neighbors)


def test_what_was_written_is_kept_and_what_was_resolved_is_said() -> None:
    recipe = parse_recipe("# mine\n" + SMALL, overrides=["seed=4"])
    assert recipe.written == "# mine\n" + SMALL
    assert Recipe.model_validate(small()).written == Recipe.model_validate(small()).to_yaml()
    resolved = parse_recipe(recipe.to_yaml("0123abc"))
    assert (resolved.seed, resolved.model.revision) == (4, "0123abc")
    assert parse_recipe(recipe.to_yaml(None)) == recipe


@pytest.mark.parametrize(
    ("written", "meant"), [("false", False), ("true", True), ("team.redact-2", "team.redact-2")]
)
def test_an_edit_is_registered_under_a_name_or_not_at_all(written: str, meant: object) -> None:
    recipe = parse_recipe(SMALL + f"track: {{registry: {written}}}\n")
    assert recipe.track.registry == meant
    assert parse_recipe(recipe.to_yaml()) == recipe
    assert recipe.digest == parse_recipe(SMALL).digest


@pytest.mark.parametrize("written", ["a/b", "a:b", "''", "1", "[a]"])
def test_what_no_registry_takes_for_a_name_is_refused(written: str) -> None:
    with pytest.raises(RecipeError, match=r"track\.registry: expected true, false, or a name"):
        parse_recipe(SMALL + f"track: {{registry: {written}}}\n")
