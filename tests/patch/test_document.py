"""The JSON of a patch has one spelling."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from editkit.errors import PatchError
from editkit.patch.document import from_json, to_json
from editkit.patch.file import Patch


def changed(patch: Patch, change: Callable[[Any], object]) -> str:
    document = json.loads(to_json(patch))
    change(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def test_it_is_canonical(patch: Patch) -> None:
    text = to_json(patch)
    assert text == changed(patch, lambda document: None)
    assert text.isascii()


def test_equal_contents_are_equal_text(patch: Patch) -> None:
    other = replace(
        patch.provenance,
        versions=MappingProxyType(dict(reversed(patch.provenance.versions.items()))),
        scores={"efficacy": {"control": None, "after": 1, "before": 0}},
        neuron_scores={"L1.E3.N0": -1, "L1.N2": 0.5},
    )
    assert to_json(replace(patch, provenance=other)) == to_json(patch)


def test_it_reads_what_it_wrote(patch: Patch) -> None:
    document = from_json(to_json(patch))
    assert document.base == patch.base
    assert document.provenance == patch.provenance


REFUSED: list[tuple[Callable[[Any], object], str]] = [
    (lambda d: d.update(version=2), "format version 2"),
    (lambda d: d.update(version=True), "format version True"),
    (lambda d: d.update(version="1"), "format version '1'"),
    (lambda d: d.pop("version"), "format version None"),
    (lambda d: d.update(extra=1), "'extra' is wrong"),
    (lambda d: d.pop("base"), "'base' is wrong"),
    (lambda d: d["base"].update(path="x"), "'base.path' is wrong"),
    (lambda d: d["base"].update(id=1), "'base.id' is wrong"),
    (lambda d: d["entries"][0].update(kind="low_rank"), "'entries.0.kind' is wrong"),
    (lambda d: d["entries"][0].update(note="x"), "'entries.0.note' is wrong"),
    (lambda d: d["entries"][0].update(layer=1.0), "'entries.0.layer' is wrong"),
    (lambda d: d["entries"][0].update(layer=True), "'entries.0.layer' is wrong"),
    (lambda d: d["entries"][0].update(layer="1"), "'entries.0.layer' is wrong"),
    (lambda d: d["entries"][0].update(shape=["3", 8]), "'entries.0.shape.0' is wrong"),
    (lambda d: d.update(entries={}), "'entries' is wrong"),
    (lambda d: d["provenance"].update(seed=2**63), "does not fit 64 bits"),
    (lambda d: d["provenance"].update(accepted="yes"), "'provenance.accepted' is wrong"),
    (lambda d: d["provenance"]["locate"].update(x=1), "'provenance.locate.x' is wrong"),
    (lambda d: d["provenance"]["scores"].update(drift=1), "'provenance.scores.drift' is wrong"),
    (lambda d: d["provenance"].update(edits=["\ud800"]), "wrong"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_other_fields_and_types_are_refused(
    patch: Patch, change: Callable[[Any], object], reason: str
) -> None:
    with pytest.raises(PatchError, match=reason):
        from_json(changed(patch, change))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "can't be read"),
        ("[]", "format version None"),
        ("null", "format version None"),
        ('{"version":1,"version":1}', "stands there twice"),
        ('{"version":1,"base":{"id":"a","id":"b"}}', "stands there twice"),
        ('{"version":1,"seed":NaN}', "not finite"),
        ('{"version":1,"seed":-Infinity}', "not finite"),
        ('{"version":1,"seed":1e999}', "not finite"),
        ('{"version":' + "9" * 100_000 + "}", "does not fit 64 bits"),
        ("[" * 900, "can't be read"),
        ('{"a":' * 900, "can't be read"),
        ("[" * 100_000, "too many parts"),
        ('{"a":' * 100_000, "too many parts"),
        ('{"version":[' + "[]," * 2000 + "[]]}", "too many parts"),
        ('{"version":[[]]}', "format version of another kind"),
        ('{"a":"é"}', "not written in ASCII"),
    ],
)
def test_bombs_and_ambiguity_are_refused(text: str, reason: str) -> None:
    with pytest.raises(PatchError, match=reason):
        from_json(text)


def test_nesting_that_only_one_parser_bears_is_refused(patch: Patch) -> None:
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    with pytest.raises(PatchError):
        from_json(changed(patch, lambda d: d["provenance"]["locate"]["settings"].update(deep=deep)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), np.float32(1)])
def test_what_json_can_not_say_is_not_written(patch: Patch, value: Any) -> None:
    method = replace(patch.provenance.solve, settings={"x": value})
    with pytest.raises(PatchError, match="can't be written"):
        to_json(replace(patch, provenance=replace(patch.provenance, solve=method)))


def test_the_sentence_never_shows_the_value(patch: Patch) -> None:
    with pytest.raises(PatchError) as refused:
        from_json(changed(patch, lambda d: d["provenance"].update(edits="secretword")))
    assert "secretword" not in str(refused.value)
