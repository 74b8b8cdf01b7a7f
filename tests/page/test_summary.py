"""What is told first."""

from __future__ import annotations

from dataclasses import replace

from editkit.page import summary
from editkit.page.groups import groups, worsened
from editkit.report import Report, Score, Verdict
from tests.page.conftest import value


def test_a_rejection_says_why_in_one_sentence(report: Report) -> None:
    assert summary.verdict(report) == "Efficacy is 0.900."
    bare = replace(report, verdict=replace(report.verdict, reasons=()))
    assert summary.verdict(bare) == "Efficacy 0.900 where >= 0.95 was asked."
    assert (
        summary.verdict(replace(report, verdict=Verdict(False, ()))) == "What was asked for was not reached."
    )


def test_what_was_reached_stands_beside_before_and_control(report: Report) -> None:
    assert summary.reached(report) == ("efficacy 0.900 [0.850, 0.950], before 0.000, random neurons 0.100",)


def test_worse_is_what_left_its_interval(report: Report) -> None:
    assert [score.name for score in worsened(report)] == ["locality"]
    risen = Score("chair_i", value(0.3), value(0.1), higher_is_better=False, group="objects")
    fallen = replace(risen, after=value(0.01))
    assert worsened(replace(report, scores=(risen, fallen))) == (risen,)


def test_where_to_look(report: Report) -> None:
    told = list(summary.look(report))
    assert told == ["1 of 2 cases failed: 1 held_out", "1 words surely changed in control answers: spoon"]
    same = replace(report.scores[0], difference=value(0.0))
    assert any("random neurons did as well" in line for line in summary.look(replace(report, scores=(same,))))
    alone = replace(report, scores=(replace(report.scores[0], control=None, difference=None),))
    assert any("no random control" in line for line in summary.look(alone))


def test_groups_keep_the_order_of_reading_and_lose_no_score(report: Report) -> None:
    new = Score("other", value(0.5), group="quite new")
    found = groups((new, *reversed(report.scores)))
    assert [group.name for group in found] == ["asked", "kept", "objects", "quite new"]
    assert sum(len(group.scores) for group in found) == len(report.scores) + 1
