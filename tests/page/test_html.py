"""The page says everything, stands alone, and nothing that is said in it can break it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editkit.page import Material, Written, render
from editkit.page.html import FIGURES
from editkit.plan import Picture
from editkit.report import Report, Row, Score, Value, Verdict, WordChange
from tests.page.conftest import ROW, png

VOID = {"meta", "img", "br", "circle", "rect", "path", "line", "polyline"}


class Read(HTMLParser):
    """Tags that are open, headings, attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.levels: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def words(self) -> str:
        return " ".join(self.text.split())


def test_what_decides_comes_first(material: Material) -> None:
    page = Read(render(material))
    text = page.words()
    order = ["Rejected", "Efficacy is 0.900", ">= 0.95", "suppress gun (64 neurons changed)"]
    order += ["Became worse", "locality 0.800", "editkit review 0123456789ab --accept", "Scores"]
    order += ["Did it work", "What else moved", "Objects", "Answers, the worst first"]
    order += ["Words that came or went", "spoon", "Neurons", "L1.N4", "pistol", "loss/target"]
    order += ["control-cases", "How to load it", "How to undo it"]
    at = 0
    for words in order:
        at = text.index(words, at)


def test_every_score_has_its_interval_and_control_as_text_and_drawn(material: Material) -> None:
    page = Read(render(material))
    assert "0.900 0.850 to 0.950" in page.words()
    labels = [found["aria-label"] for tag, found in page.tags if tag == "svg" and "aria-label" in found]
    assert labels[0] == "efficacy from 0.000 to 1.000: before 0.000, after 0.900, control 0.100"
    assert len(labels) == len(material.report.scores) + 1


def test_changed_words_are_marked(material: Material) -> None:
    assert "a red <del>gun</del><ins>bag</ins>" in render(material)


def test_it_stands_alone(material: Material) -> None:
    page = Read(render(material))
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    given = [found.get(name) for _, found in page.tags for name in ("src", "href", "srcset") if name in found]
    assert given
    assert all(str(place).startswith("data:image/") for place in given)
    assert not re.search(r"url\(|@import|https?://", render(material))


def test_who_sees_nothing_can_read_it(material: Material) -> None:
    page = Read(render(material))
    assert all(found.get("alt") for tag, found in page.tags if tag == "img")
    assert all("aria-label" in found or "aria-hidden" in found for tag, found in page.tags if tag == "svg")
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(page.levels, page.levels[1:], strict=False))
    assert ("html", {"lang": "en"}) in page.tags


def test_figures_that_the_page_draws_itself_are_left_out(material: Material) -> None:
    page = Read(render(material))
    assert [found["alt"] for tag, found in page.tags if tag == "img"][-1] == (
        "Which layers the neurons of each edit lie in."
    )


@pytest.mark.parametrize(
    "said",
    [
        "<script>alert(1)</script>",
        "</dd></article><img src=x onerror=alert(1)>",
        '" onload="alert(1)',
        "{{ 7 * 7 }}{% raw %}",
        "\u202egnp.nug\u202c שלום مرحبا",
        "🔫👩‍👩‍👧‍👦 " * 50,
        "x" * 100_000,
        "\x00\x07\x1b[31m \ud83d \ufffe",
        "]]> --> <!-- <![CDATA[",
        "",
    ],
)
def test_whatever_is_said_stays_text(material: Material, said: str) -> None:
    hostile = replace(
        material,
        name=said,
        labels={0: said},
        pictures={said: Picture(said, png())},
        origin=[(said, said)],
        neurons=[Written(0, material.neurons[0].neuron, 1.0, (said,))],
        curves={said: [(0, 1.0), (1, 2.0)]},
        figures={f"{said[:20]}.png": png()},
        load=said,
        report=replace(
            material.report,
            verdict=Verdict(False, (), (said,)),
            notes=(said,),
            rows=(replace(ROW, prompt=said, before=said, after=f"a{said}", control=said, images=(said,)),),
            words=(WordChange(said, 1, 2, 3, 1, 0, 1.0, 1.0),),
        ),
    )
    page = render(hostile)
    plain, read = Read(render(material)), Read(page)
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in plain.tags} | {"pre"}
    assert not any(name.startswith("on") for _, found in read.tags for name in found)
    assert len(page) < 1_000_000
    page.encode("utf-8")


@given(said=st.text(), after=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_any_two_answers_make_a_page(material: Material, said: str, after: str) -> None:
    row = replace(ROW, before=said, after=after, images=())
    Read(render(replace(material, report=replace(material.report, rows=(row,)))))


def test_nothing_measured_makes_a_page(material: Material) -> None:
    empty = Material("redact", "an edit", Report((), Verdict(True, ()), {}))
    text = Read(render(empty)).words()
    assert "Nothing was measured." in text
    assert "No cases were kept." in text


def test_a_figure_that_is_none_is_a_dash(material: Material, report: Report) -> None:
    nothing = float("nan")
    score = Score("pope_f1_random", Value(nothing, replace(value_of(report), low=nothing, high=nothing), 0))
    text = Read(render(replace(material, report=replace(report, scores=(score,))))).words()
    assert "nan" not in text.lower()


def value_of(report: Report) -> object:
    return report.scores[0].after.interval


def test_sixty_cases_with_pictures_and_large_figures_stay_small(material: Material) -> None:
    import io

    import numpy as np
    from PIL import Image

    def noise(seed: int, side: int) -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
        found = io.BytesIO()
        Image.fromarray(pixels).save(found, "PNG")
        return found.getvalue()

    names = [f"p{at}" for at in range(200)]
    rows: tuple[Row, ...] = tuple(replace(ROW, images=(name,)) for name in names)
    many = replace(
        material,
        pictures={name: Picture(name, noise(at, 160)) for at, name in enumerate(names)},
        figures={f"edit{at}_seen.png": noise(at, 700) for at in range(6)},
        report=replace(material.report, rows=rows),
    )
    page = render(many)
    assert page.count('<article class="case') == 60
    assert len(page) < 2_000_000
    assert len(page) > FIGURES
    assert "Further figures are among the run's files" in Read(page).words()


def test_it_needs_neither_torch_nor_mlflow() -> None:
    code = "import sys, editkit.page, jinja2; print({'torch', 'mlflow', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
