from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.errors import RecipeError
from editkit.recipe.yaml import Document, Place, dotted, read_yaml, write_yaml

OLD_FORMS = ("012", "12:30", "2024-01-01", "0x1f", "1_000", ".inf", ".nan", "1.2.3", "=", ".")
SURPRISING = ("no", "On", "~", "", "null", "1e-4", ".5", "<<", *OLD_FORMS)
WORDS = st.one_of(st.sampled_from(SURPRISING), st.text(max_size=12))
SCALARS = st.one_of(
    WORDS,
    st.booleans(),
    st.none(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=12)


def problem(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read_yaml(text, "x.yaml")
    return str(caught.value)


@given(DATA)
def test_what_is_written_is_read_back(data: Any) -> None:
    assert read_yaml(write_yaml(data), "x").data == data


@pytest.mark.parametrize("text", OLD_FORMS)
def test_words_that_yaml_1_1_would_turn_into_something_else_stay_words(text: str) -> None:
    assert read_yaml(f"a: {text}", "x").data == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-3", -3),
        ("2.", 2.0),
        ("no", False),
        ("ON", True),
        ("'no'", "no"),
        ("~", None),
        ("", None),
        ("0", 0),
    ],
)
def test_numbers_switches_and_nothing(text: str, value: object) -> None:
    found = read_yaml(f"a: {text}", "x").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_places_are_the_lines_of_keys_and_items() -> None:
    document = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", "x.yaml")
    assert document.place("a.c[1].y") == Place("x.yaml", 5)
    assert document.place("a.c[0]") == Place("x.yaml", 4)
    assert document.place("a.c[7].z") == Place("x.yaml", 3)
    assert document.place("other.thing") == Place("x.yaml", 1)


def test_what_was_set_from_elsewhere_stands_there_with_all_below_it() -> None:
    document = read_yaml("a:\n  b: {c: 1}\n  bb: 2\n", "x.yaml")
    document.move("a.b", Place("--set"))
    assert document.place("a.b.c") == Place("--set")
    assert document.place("a.bb") == Place("x.yaml", 3)


def test_a_document_without_places_has_none() -> None:
    assert Document(None).place("a.b") is None


def test_dotted() -> None:
    assert dotted(("edits", 1, "map", "from")) == "edits[1].map.from"
    assert dotted(()) == ""


def test_every_repeated_key_is_told_with_both_lines() -> None:
    text = problem("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert text.splitlines() == [
        "x.yaml:4: b.c: given twice: here and in line 3",
        "x.yaml:5: a: given twice: here and in line 1",
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [1\nb: 2", 2, "no YAML"),
        ("a: >= 0.95", 1, "must be quoted"),
        ("a: *gun", 1, "must be quoted"),
        ("a: b: c", 1, "second colon"),
        ("a: 1\n---\nb: 2", 2, "no second ---"),
        ("a: !!python/object/apply:os.system [x]", 1, "tags"),
        ("a: !!binary aGk=", 1, "tags"),
        ("a: !!int x", 1, "tags"),
        ("a: 1e999", 1, "infinite"),
        ("a: " + "9" * 5000, 1, "infinite"),
        ("? [a]\n: 1", 1, "a key must be a word"),
    ],
)
def test_refusals_name_the_line(text: str, line: int, words: str) -> None:
    told = problem(text)
    assert told.startswith(f"x.yaml:{line}: ")
    assert words in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("text", ["[" * 5000, "a: &x [*x]", "a: \0", "- " * 3000])
def test_hostile_text_is_refused_in_one_sentence(text: str) -> None:
    assert len(problem(text).splitlines()) == 1


def test_aliases_that_unfold_too_far_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases unfold" in problem("\n".join(lines))
    assert read_yaml("a: &a [1, 2]\nb: *a", "x").data == {"a": [1, 2], "b": [1, 2]}


def test_large_files_are_refused() -> None:
    assert "1 MB" in problem("a: " + "x" * 1_000_001)


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_recipe_error(text: str) -> None:
    with suppress(RecipeError):
        data = read_yaml(text, "x").data
        assert read_yaml(write_yaml(data), "x").data == data
