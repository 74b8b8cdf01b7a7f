from __future__ import annotations

import pytest

from editkit.errors import RecipeError
from editkit.recipe import Edit, Rewrite, parse_recipe

SMALL = """version: 1
name: small
model: demo/scenes
probe: {images: {demo: guns}}
edits: [{suppress: gun}]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ("[{suppress: [gun, Gun]}]", "edits[0].suppress[1]: the same as item 0"),
        ("[{suppress: gun, with: GUN}]", "edits[0].with: the replacement is a word to lose"),
        ("[{map: {from: a, to: A}}]", "edits[0].map.to: the same word as from"),
        ("[{suppress: gun}, {map: {from: Gun, to: b}}]", "edits[1]: asks again for what edits[0] asks for"),
        ("[{suppress: gun}, {map: {from: a, to: gun}}]", "edits[1]: says what edits[0] suppresses"),
        ("[{rewrite: {prompt: p, from: a, to: b, paraphrases: [p]}}]", "paraphrases[0]: the same as prompt"),
        ("[{rewrite: {prompt: p, from: a, to: b, neighbors: [q, p]}}]", "neighbors[1]: also asked"),
        ("[]", "edits: expected at least 1 item"),
        ("[{suppress: ' '}]", "edits[0].suppress: expected text that is not blank"),
    ],
)
def test_edits_that_contradict_themselves(edits: str, told: str) -> None:
    (line,) = problems(SMALL.replace("[{suppress: gun}]", edits))
    assert told in line


def edits(text: str) -> tuple[Edit, ...]:
    return parse_recipe(SMALL.replace("[{suppress: gun}]", text)).edits


def test_every_kind_has_sources_targets_and_when() -> None:
    found = edits(
        "[{suppress: [a, ' b ']}, {suppress: c, with: '[redacted]'}, {map: {from: d, to: e}, when: absent},"
        " {rewrite: {prompt: 'p ', from: f, to: g}}]"
    )
    assert [(edit.kind, edit.sources, edit.targets, edit.when) for edit in found] == [
        ("suppress", ("a", "b"), (), "everywhere"),
        ("suppress", ("c",), ("[redacted]",), "everywhere"),
        ("map", ("d",), ("e",), "absent"),
        ("rewrite", ("f",), ("g",), "everywhere"),
    ]
    assert isinstance(found[3], Rewrite)
    assert found[3].rewrite.prompt == "p ", "a prompt is kept to the last space"


def test_a_prompt_may_be_a_word_that_another_edit_loses() -> None:
    assert len(edits("[{suppress: gun}, {rewrite: {prompt: gun, from: a, to: b}}]")) == 2


def test_words_may_be_swapped() -> None:
    assert len(edits("[{map: {from: a, to: b}}, {map: {from: b, to: a}}]")) == 2
