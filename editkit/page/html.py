"""Material -> one HTML file: no script, nothing fetched, whatever a model or a recipe says in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from editkit.page import summary
from editkit.page.bars import WIDTH, bar
from editkit.page.changes import Piece, changes
from editkit.page.chosen import chosen
from editkit.page.curves import curves
from editkit.page.groups import groups
from editkit.page.legends import legend
from editkit.page.material import Material, Written
from editkit.page.numbers import interval, number, whole
from editkit.page.pictures import figure, thumbnail
from editkit.plan import Picture
from editkit.report import Row

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST: Final = 1_500
LONGEST_WORD: Final = 80
WORDS: Final = 40
NEURONS: Final = 20
# Of a page that may be mailed; what does not fit is in the run's files.
FIGURES: Final = 800_000
# What HTML may not hold at all: controls, halves of letters beyond 16 bits, and what is no letter.
UNSAYABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True)
class Shown:
    """One case as the page shows it."""

    row: Row
    pictures: tuple[tuple[str, str | None], ...]
    after: tuple[Piece, ...]
    control: tuple[Piece, ...]
    wanted: tuple[Piece, ...]


def render(material: Material) -> str:
    """The whole page."""
    report = material.report
    figures, left = _figures(material.figures)
    text = _template().render(
        m=material,
        report=report,
        verdict=summary.verdict(report),
        reached=summary.reached(report),
        moved=summary.moved(report),
        changed=summary.words(report),
        look=list(summary.look(report)),
        what=summary.what(report, material.labels, material.changed),
        groups=groups(report.scores),
        differences=groups(material.differences),
        controlled=any(score.control is not None for score in report.scores),
        several=len({score.edit for score in report.scores if score.edit is not None}) > 1,
        cases=list(_cases(material)),
        failed=sum(not row.ok for row in report.rows),
        words=report.words[:WORDS],
        neurons=_neurons(material),
        curves=curves(material.curves),
        figures=figures,
        left=left,
    )
    return UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _cases(material: Material) -> Iterator[Shown]:
    small: dict[str, str | None] = {}

    def picture(name: str) -> tuple[str, str | None]:
        if name not in small:
            found: Picture | None = material.pictures.get(name)
            small[name] = thumbnail(found)
        return name, small[name]

    for row in chosen(material.report.rows):
        before = clipped(row.before)
        yield Shown(
            row,
            tuple(picture(name) for name in row.images[:4]),
            changes(before, clipped(row.after)),
            () if row.control is None else changes(before, clipped(row.control)),
            () if row.wanted is None else changes(before, clipped(row.wanted)),
        )


def _neurons(material: Material) -> list[tuple[int, str, list[Written]]]:
    """Edit, its words, and its first neurons."""
    found = []
    for edit in dict.fromkeys(one.edit for one in material.neurons):
        own = [one for one in material.neurons if one.edit == edit]
        found.append((edit, material.labels.get(edit, f"edit {edit}"), own[:NEURONS]))
    return found


def _figures(given: Mapping[str, bytes]) -> tuple[list[tuple[str, str, str]], list[str]]:
    """(file name, legend, data URI) of those that fit, and the names of all others."""
    found, left, size = [], [], 0
    for name, png in given.items():
        words = legend(name)
        if words is None:
            continue
        uri = figure(png) if size < FIGURES else None
        if uri is None or size + len(uri) > FIGURES:
            left.append(name)
            continue
        size += len(uri)
        found.append((name, words, uri))
    return found, left


def clipped(text: str, longest: int = LONGEST) -> str:
    """The beginning of a long text, and how much more there is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\N{HORIZONTAL ELLIPSIS} ({len(text) - longest:,} characters more)"


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment: Environment = Environment(
        loader=PackageLoader("editkit.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, interval=interval, whole=whole, clipped=clipped)
    environment.globals.update(bar=bar, bar_width=WIDTH, longest_word=LONGEST_WORD)
    return environment.get_template("report.html")
