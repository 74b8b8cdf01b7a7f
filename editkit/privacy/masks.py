"""One edit's plan, answers and report as a run may show them: see `track.privacy.tracking`."""

from __future__ import annotations

import hmac
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from editkit.page import Written
from editkit.patch.words import OMITTED, key_for
from editkit.plan import Case, EditPlan, Picture, PlannedEdit, Question, Wanted
from editkit.privacy.hidden import Hidden, words_of
from editkit.privacy.recipes import shown
from editkit.privacy.spelling import folded
from editkit.probe.words import written
from editkit.recipe import Recipe
from editkit.recipe.yaml import read_yaml, write_yaml
from editkit.report import Report, Row, WordChange

BLANK: Final = "#cccccc"
BLANK_SIDE: Final = 32


class Masks:
    """Lays masks over all that a recipe's words could stand in; over nothing where nobody asks for it."""

    def __init__(self, recipe: Recipe) -> None:
        """
        Raises:
            OutputError, UsageError: the key for masked words can't be had.
        """
        how = recipe.track.privacy.tracking
        self._recipe = recipe
        self.secret = Hidden(how) if how == "plain" else Hidden(how, words_of(recipe), (), key_for(how))

    @property
    def hides(self) -> bool:
        return self.secret.how != "plain"

    def text(self, text: str) -> str:
        """Any text; files may be named in it."""
        return self.secret.masked_name(text)

    def name(self, text: str) -> str:
        """Of a run, a model or a file: without signs that names may not have."""
        return self.secret.masked_name(text).replace(OMITTED, OMITTED.strip("[]"))

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A recipe as plain data; paths on this machine, which may hold a word, are left out too."""
        if not self.hides:
            return dict(document)
        found: dict[str, Any] = shown(document, self._recipe, self.secret)
        named = {"name": self.name(document["name"])} if "name" in document else {}
        return found | named

    def recipe(self) -> str:
        """The recipe as it was written; what was set in it, without remarks, where words are hidden."""
        if not self.hides:
            return self._recipe.written
        own = self._recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        document = {"version": self._recipe.version, **own}
        return write_yaml(self.document(document))

    def resolved(self, text: str) -> str:
        """A whole recipe in YAML."""
        return write_yaml(self.document(read_yaml(text, "recipe").data)) if self.hides else text

    def edit(self, edit: PlannedEdit) -> PlannedEdit:
        """For people alone: it finds no word any more."""
        if not self.hides:
            return edit
        return replace(
            edit,
            label=self.text(edit.label),
            sources=tuple(map(self.text, edit.sources)),
            target=_each(self.text, edit.target),
            forms=tuple(replace(form, text=OMITTED, spaced=(), bare=(), instead=None) for form in edit.forms),
            prompt=_each(self.text, edit.prompt),
        )

    def plan(self, plan: EditPlan) -> EditPlan:
        """Prompts and answers with their words masked, other pictures, and ids that nobody can guess at."""
        if not self.hides:
            return plan
        return replace(
            plan, edits=tuple(map(self.edit, plan.edits)), cases=tuple(map(self._case, plan.cases))
        )

    def report(self, report: Report) -> Report:
        if not self.hides:
            return report
        return replace(
            report,
            rows=tuple(map(self._row, report.rows)),
            notes=tuple(map(self.text, report.notes)),
            words=tuple(map(self._word, report.words)),
        )

    def neurons(self, neurons: Iterable[Written]) -> tuple[Written, ...]:
        """What they write is what the edit is about: none of it."""
        found = tuple(neurons)
        return tuple(replace(one, tokens=(OMITTED,)) for one in found) if self.hides else found

    def picture_name(self, name: str) -> str:
        """The same name for the same picture; a folder's or a file's name may be the word."""
        return f"picture-{self._digest(name)[:12]}" if self.hides else name

    def _digest(self, text: str) -> str:
        return hmac.new(self.secret.key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()

    def _id(self, id: str) -> str:
        """A digest of a prompt could be found by trying words."""
        return self._digest(id)[: max(len(id), 16)]

    def _case(self, case: Case) -> Case:
        asked, wanted = case.question, case.wanted
        return Case(
            Question(
                self._id(asked.id),
                self._id(asked.group),
                self.text(asked.prompt),
                tuple(Picture(self.picture_name(one.name), self._blank) for one in asked.images),
                asked.chat,
            ),
            case.role,
            self.text(case.said),
            (),
            edits=case.edits,
            near=case.near,
            probe=case.probe,
            wanted=None if wanted is None else Wanted(self.text(wanted.text), ()),
            suite=case.suite,
        )

    def _row(self, row: Row) -> Row:
        return replace(
            row,
            case=self._id(row.case),
            prompt=self.text(row.prompt),
            images=tuple(map(self.picture_name, row.images)),
            before=self.text(row.before),
            after=self.text(row.after),
            control=_each(self.text, row.control),
            wanted=_each(self.text, row.wanted),
        )

    def _word(self, change: WordChange) -> WordChange:
        part = folded(change.word).casefold() in self._parts
        return replace(change, word=OMITTED if part else self.text(change.word))

    @cached_property
    def _parts(self) -> frozenset[str]:
        """Words of phrases, which alone would not be found."""
        phrases = [form for word in self.secret.words if len(word.split()) > 1 for form in written(word)]
        return frozenset(folded(part).casefold() for phrase in phrases for part in phrase.split())

    @cached_property
    def _blank(self) -> bytes:
        from PIL import Image

        found = io.BytesIO()
        Image.new("RGB", (BLANK_SIDE, BLANK_SIDE), BLANK).save(found, "PNG")
        return found.getvalue()


def _each(mask: Any, text: str | None) -> str | None:
    return None if text is None else mask(text)
