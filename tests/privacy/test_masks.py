"""Plans, reports and recipes with masks over their words."""

from __future__ import annotations

from pathlib import Path

import pytest

from editkit.neuron import Neuron
from editkit.page import Written
from editkit.patch.words import local_key, mask
from editkit.plan import Case, EditPlan, Form, Picture, PlannedEdit, Question, Wanted
from editkit.privacy import Masks
from editkit.recipe import parse_recipe
from editkit.report import Report, Row, Verdict, WordChange
from tests.privacy.conftest import RECIPE, SAID

EDIT = PlannedEdit(
    0,
    "suppress",
    "suppress gun -> kite",
    ("gun",),
    "kite",
    (Form("gun", (7,), (8,), "kite"),),
    prompt="A gun",
)
ASKED = Question("0" * 64, "1" * 64, "Where is the gun?", (Picture("guns/gun1.png", b"..."),))
CASE = Case(ASKED, "edit", "two Guns", (7, 8), (0,), wanted=Wanted("two kites", (3,)), suite="pope_random")
ROW = Row("0" * 64, "edit", 0, "A gun?", ("guns/gun1.png",), "GUNS", "a kite", "gun's", "no gun", False, True)


def masks(how: str) -> Masks:
    return Masks(parse_recipe(RECIPE % (how, how)))


def test_plain_masks_hide_nothing() -> None:
    plain, report = masks("plain"), Report((), Verdict(True, ()), {}, (ROW,))
    plan = EditPlan((EDIT,), (CASE,), 1)
    assert not plain.hides
    assert plain.plan(plan) is plan
    assert plain.report(report) is report
    assert plain.edit(EDIT) is EDIT
    assert plain.recipe() == RECIPE % ("plain", "plain")
    assert plain.resolved("a: gun") == "a: gun"
    assert plain.picture_name("guns/gun1.png") == "guns/gun1.png"


@pytest.mark.parametrize("how", ["hash", "omit"])
def test_a_plan_and_its_report_go_together(how: str) -> None:
    hiding = masks(how)
    plan = hiding.plan(EditPlan((EDIT,), (CASE,), 1))
    words = (WordChange("guns", 3, 0, 2, 0, 3, 0.1, 0.2),)
    report = hiding.report(Report((), Verdict(True, ()), {}, (ROW,), ("read /x/gun_2/a",), {}, words))
    assert not SAID.search(repr((plan, report)))
    (case,), (row,) = plan.cases, report.rows
    assert (case.role, case.edits, case.suite, case.said_tokens) == ("edit", (0,), "pope_random", ())
    assert row.case == case.question.id != ASKED.id
    assert row.images == (case.question.images[0].name,)
    assert case.question.images[0].open().getcolors() == [(1024, (204, 204, 204))]
    assert len(plan.edits[0].forms) == 1
    assert report.words[0].before == 3


def test_hashes_tell_equal_words_and_others_apart() -> None:
    hiding = masks("hash")
    gun, kite = (mask(word, "hash", local_key()) for word in ("gun", "kite"))
    assert hiding.text("A gun, GUNS; kite") == f"A {gun}, {gun}; {kite}"
    assert hiding.text("begun gunman") == "begun gunman"
    assert masks("omit").text("A gun, kites") == "A [omitted], [omitted]"


def test_names_are_names_still() -> None:
    assert masks("omit").name("no-guns") == "no-omitted"
    assert masks("hash").name("gun2_kite.png").endswith(".png")
    assert not SAID.search(masks("hash").name("gun2_kite.png"))


def test_digests_have_no_words_in_them() -> None:
    text = (RECIPE % ("hash", "hash")).replace("suppress: gun", "suppress: bed")
    hiding = Masks(parse_recipe(text))
    digest = "0123456789bed45678901234"
    assert hiding.text(f"bed1 {digest}").endswith(digest)
    assert hiding.name(hiding.name("bed")) == hiding.name("bed")


def test_parts_of_phrases_among_words_that_changed() -> None:
    hiding = Masks(
        parse_recipe((RECIPE % ("hash", "hash")).replace("suppress: gun", "suppress: water pistol"))
    )
    said = [WordChange(word, 1, 0, 0, 0, 1, 0.1, 0.1) for word in ("Water", "pistols", "lake")]
    report = hiding.report(Report((), Verdict(True, ()), {}, words=tuple(said)))
    assert [one.word for one in report.words] == ["[omitted]", "[omitted]", "lake"]


def test_recipes_without_words_and_places() -> None:
    hiding = masks("omit")
    recipe = hiding.recipe()
    assert not SAID.search(recipe)
    assert "[a local file]" in recipe
    assert "Describe the image in few words." in recipe
    whole = hiding.resolved(parse_recipe(RECIPE % ("omit", "omit"), folder=Path("/")).to_yaml("0" * 40))
    assert not SAID.search(whole)
    assert f"revision: {'0' * 40}" in whole
    assert "images: auto" in whole


def test_tokens_that_neurons_write_are_left_out() -> None:
    written = Written(0, Neuron(1, 2), 0.5, (" gun", " pist"))
    assert masks("hash").neurons([written])[0].tokens == ("[omitted]",)
    assert masks("plain").neurons([written]) == (written,)


def test_where_runs_hide_words_is_no_other_edit() -> None:
    assert parse_recipe(RECIPE % ("plain", "hash")).digest == parse_recipe(RECIPE % ("omit", "hash")).digest
