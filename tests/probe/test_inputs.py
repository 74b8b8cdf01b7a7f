"""What a recipe asks becomes questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from editkit.demo.language import facts
from editkit.errors import InputError
from editkit.events import nobody
from editkit.model.editable import Editable
from editkit.plan import PlannedEdit
from editkit.probe.inputs import asked, control_inputs, prefixes, texts
from editkit.recipe import Recipe, parse_recipe


def recipe(probe: str, rest: str = "", folder: Path | None = None) -> Recipe:
    edit = "rewrite: {prompt: I, from: am, to: was}"
    text = f"version: 1\nname: x\nmodel: ./m\nprobe: {{{probe}}}\n{rest}\nedits: [{{{edit}}}]\n"
    return parse_recipe(text, folder=folder)


def questions(editable: Editable, made: Recipe) -> Any:
    return asked(made, editable, made.probe.images, made.probe.prompts, made.seed)


def test_every_prompt_of_every_picture(llava: Editable) -> None:
    found = questions(llava, recipe("images: {demo: clear, count: 3}, prompts: ['what?', 'where?']"))
    assert [(one.prompt, one.images[0].name) for one in found] == [
        (prompt, f"clear-000{at}.png") for prompt in ("what?", "where?") for at in range(3)
    ]
    assert all(one.chat for one in found), "a model with a chat template is asked through it"
    plain = questions(llava, recipe("images: {demo: clear, count: 1}, chat: false"))
    assert not plain[0].chat


def test_text_is_gone_on_with_unless_chat_is_asked_for(llama: Editable, llava: Editable) -> None:
    assert not any(one.chat for one in questions(llava, recipe("prompts: [a, b]")))
    assert all(one.chat for one in questions(llava, recipe("prompts: [a, b], chat: true")))


def test_the_worlds_facts_say_themselves_whether_they_are_questions(llava: Editable, llama: Editable) -> None:
    found = questions(llava, recipe("prompts: {demo: facts}"))
    assert [(one.prompt, one.chat) for one in found] == [(one.prompt, not one.statement) for one in facts()]
    assert not any(one.chat for one in questions(llama, recipe("prompts: {demo: facts}")))


def test_prompts_from_a_file(llama: Editable, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\n\n  \ntwo\n")
    made = recipe("prompts: {file: lines.txt}", folder=tmp_path)
    assert [one.prompt for one in questions(llama, made)] == ["one", "two"]
    (tmp_path / "lines.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no UTF-8"):
        questions(llama, made)
    (tmp_path / "lines.txt").unlink()
    with pytest.raises(InputError, match=r"lines\.txt can't be read"):
        questions(llama, made)


def test_a_model_without_eyes_is_not_shown_pictures(llama: Editable) -> None:
    with pytest.raises(InputError, match="takes no pictures"):
        questions(llama, recipe("images: {demo: clear, count: 3}"))


def test_control_pictures_are_others_than_the_probes(llava: Editable) -> None:
    made = recipe("images: {demo: scenes, count: 40}", "control: {count: 20}")
    probe = {one.group for one in questions(llava, made)}
    control = control_inputs(made, llava, 10)
    assert len(control) >= 30
    assert not probe & {one.group for one in control}


def test_without_pictures_the_probe_itself_has_the_control_inputs(llama: Editable) -> None:
    assert control_inputs(recipe("prompts: [a]"), llama, 10) == []
    given = control_inputs(recipe("prompts: [a]", "control: {prompts: [b, c]}"), llama, 10)
    assert [one.prompt for one in given] == ["b", "c"]


def test_texts_are_given_read_or_drawn_from_the_model(llama: Editable, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("mom went home.")
    assert texts(recipe("texts: [one text]"), llama, nobody) == ["one text"]
    assert texts(recipe("texts: {file: story.txt}", folder=tmp_path), llama, nobody) == ["mom went home."]
    made = recipe("sampled: {prompt: the gun, count: 3, max_new_tokens: 5}")
    first = texts(made, llama, nobody)
    assert len(first) == 3
    assert all(text.startswith("the gun") for text in first)
    assert first == texts(made, llama, nobody)


def test_what_stands_before_the_word_becomes_a_prompt(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "mom")
    found = prefixes(["Then mom said: Mom! But mommy", "No one."], [edit], others=0, seed=0)
    assert [one.prompt for one in found] == ["Then", "Then mom said:"]


def test_other_places_are_drawn_by_seed_and_text(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    running = [f"a story of {n} words that has no such word in it" for n in range(8)]
    edit = make_edit(llama.tokenizer, "mom")
    first = prefixes(running, [edit], others=10, seed=0)
    assert 0 < len(first) <= 10
    assert all(any(text.startswith(one.prompt) for text in running) for one in first)
    assert first == prefixes(running, [edit], others=10, seed=0)
    assert first != prefixes(running, [edit], others=10, seed=1)


def test_prefixes_of_one_text_are_one_group_and_long_ones_are_cut_at_a_word(
    llama: Editable, make_edit: Callable[..., PlannedEdit]
) -> None:
    edit = make_edit(llama.tokenizer, "mom")
    found = prefixes(["word " * 30 + "mom and mom"], [edit], others=0, seed=0, longest=23)
    assert len({one.group for one in found}) == 1
    assert [one.prompt for one in found] == ["word word word word", "word word word mom and"]


def test_prefixes_are_cut_until_they_fit(llama: Editable, make_edit: Callable[..., PlannedEdit]) -> None:
    edit = make_edit(llama.tokenizer, "mom")
    running = ["word " * 30 + "mom", "x" * 99 + " mom"]
    found = prefixes(running, [edit], others=0, seed=0, fits=lambda text: len(text) < 40)
    assert len(found) == 1, "of one long word nothing is left"
    assert 30 < len(found[0].prompt) < 40
    assert set(found[0].prompt.split()) == {"word"}
