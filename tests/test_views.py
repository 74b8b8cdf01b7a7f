"""What was found, as pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.events import nobody, telling
from editkit.locate.contribution import Contribution
from editkit.locate.two_stage import TwoStage
from editkit.model.editable import Editable
from editkit.neuron import Neurons
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.pictures import pictures
from editkit.probe.questions import question
from editkit.probe.twins import with_twins
from editkit.recipe import CocoImages, parse_recipe
from editkit.study.locating import save_figures
from editkit.views import EDITS, Watching, views


@pytest.fixture
def plan(
    ask: Callable[..., list[Question]],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    any_model: Editable,
) -> EditPlan:
    edit = make_edit(any_model.tokenizer, "gun")
    cases = tuple(make_case(any_model.tokenizer, asked, " a gun") for asked in ask(any_model))
    return EditPlan((edit,), cases, 3)


def test_text_has_no_pictures_to_look_at(any_model: Editable, plan: EditPlan) -> None:
    found = Contribution().locate(any_model, plan, (0, 1, 2), 12, nobody)
    drawn = dict(views(any_model, plan, found, ()))
    seen = {"edit0_heat_best.png", "edit0_heat_top.png", "edit0_seen.png"}
    expected = {"layers.png", "ranks.png", "edit0_tokens.png"}
    assert set(drawn) == expected | (seen if any_model.accepts_images else set())


def test_of_many_edits_only_some_are_drawn(llama: Editable, make_edit: Callable[..., PlannedEdit]) -> None:
    from dataclasses import replace

    edit = make_edit(llama.tokenizer, "gun")
    edits = tuple(replace(edit, number=number) for number in range(EDITS + 3))
    cases = (Case(question("I see"), "edit", " a gun", (260, 271), tuple(range(len(edits)))),)
    plan = EditPlan(edits, cases, 1)
    found = Contribution().locate(llama, plan, (0, 1, 2), 4, nobody)
    assert sum("tokens" in name for name, _ in views(llama, plan, found, ())) == EDITS


def test_nothing_found_draws_nothing(llama: Editable, make_edit: Callable[..., PlannedEdit]) -> None:
    plan = EditPlan((make_edit(llama.tokenizer, "gun"),), (), 0)
    assert list(views(llama, plan, [Neurons((), (), "two_stage")], ())) == []


@pytest.mark.real
def test_two_stages_on_photographs_with_their_masks(
    real_data: Callable[[str], Path],
    llava: Editable,
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    tmp_path: Path,
) -> None:
    """Official annotations, twins painted and kept, thresholds from random regions, and every figure."""
    folder = real_data("coco/images")
    recipe = parse_recipe(
        "version: 1\nname: photographs\nmodel: ./x\n"
        f"probe: {{images: {folder}, twins: {{cache: {tmp_path}/c}}}}\n"
        "edits: [{suppress: person}, {suppress: car}]\n"
    )
    shown = pictures(recipe, CocoImages(coco=str(real_data("coco/instances.json")), images=str(folder)), 0)
    edits = (make_edit(llava.tokenizer, "person"), make_edit(llava.tokenizer, "car", number=1))
    cases = []
    for picture in shown:
        own = tuple(edit.number for edit in edits if any(edit.says_source(kind) for kind in picture.regions))
        if own and len(cases) < 10:
            said = " and".join(f" a {edits[number].sources[0]}" for number in own)
            asked = question("Describe the image in few words.", [picture], chat=True)
            cases.append(make_case(llava.tokenizer, asked, said, edits=own))
    assert {number for case in cases for number in case.edits} == {0, 1}
    plan = with_twins(recipe, EditPlan(edits, tuple(cases), len(cases)), nulls=2, tell=nobody)
    painted = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*.png")}
    assert len(painted) >= 3 * len(cases)
    watching = Watching()
    method = TwoStage(regions=2, quantile=0.5)
    found = method.locate(llava, plan, (0, 1, 2), 8, telling(watching))
    assert all(0 < len(ranking) <= 8 for ranking in found)
    drawn = dict(views(llava, plan, found, watching.shown))
    per_edit = {"tokens", "heat_best", "heat_top", "seen", "twins", "thresholds"}
    assert set(drawn) == {"layers.png", "ranks.png"} | {
        f"edit{number}_{name}.png" for number in (0, 1) for name in per_edit
    }
    written = save_figures(drawn, tmp_path / "figures")
    assert all(path.stat().st_size > 1000 for path in written)
    again = with_twins(recipe, EditPlan(edits, tuple(cases), len(cases)), nulls=2, tell=nobody)
    assert again == plan
    assert painted == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*.png")}
