"""Words that must not be published are found wherever a reader could find them, and nowhere else."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from editkit.errors import OutputError
from editkit.export.scan import Found, scan
from editkit.patch.words import mask

KEY = bytes(range(32))


def hashed(*words: str) -> dict[str, object]:
    return {"hashes": [mask(word, "hash", KEY).removeprefix("hmac-") for word in words], "key": KEY}


def asked(how: str, *words: str) -> dict[str, object]:
    return {"words": words} if how == "words" else hashed(*words)


def found_in(folder: Path, content: str | bytes, name: str = "a.txt", **given: object) -> list[str]:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(raw)
    return [one.place for one in scan(folder, **given)]  # type: ignore[arg-type]  # given by name


ways = pytest.mark.parametrize("how", ["words", "hashes"])


@ways
@pytest.mark.parametrize(
    "text",
    [
        "a gun",
        "A Gun.",
        "GUN",
        "guns",
        "GUNS!",
        "no-gun_here",
        "x/gun/y",
        "“gun”",
        "\ufeffgun",
        "g\u00adun",
        "g\u200bun",
        "\uff47\uff55\uff4e",
        '{"a": "\\u0067un"}',
        '{"a": "one\\ngun"}',
        json.dumps({"a": json.dumps({"b": "\u0467 gun"})}),
        '{"a": "{\\"b\\": \\"\\\\u0067un\\"}"}',
        "\\x67un",
        "&#103;un",
        "&#x67;un&nbsp;",
    ],
)
def test_a_word_is_found(tmp_path: Path, how: str, text: str) -> None:
    assert found_in(tmp_path, f"first line\n{text}\n", **asked(how, "gun")) == ["line 2"]


@ways
@pytest.mark.parametrize("text", ["begun", "gunner", "shotgun", "gu n", "gun5", "fun", "gün", ""])
def test_parts_of_other_words_are_not(tmp_path: Path, how: str, text: str) -> None:
    assert found_in(tmp_path, text, **asked(how, "gun")) == []


@ways
@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("hand gun", "two hand  guns"),
        ("hand gun", "a hand\ngun"),
        ("hand gun", '"hand\\u0020gun"'),
        ("New York", "in new york"),
        ("New York", "NEW YORK"),
        ("Belton", "belton"),
        ("NASA", "nasa"),
        ("box", "boxes"),
        ("city", "Cities"),
        ("[redacted]", "a [redacted] b"),
        ("C++", "in C++, say"),
        ("café", "cafe\u0301"),
        ("straße", "Straße"),
        ("銃", "これは銃です"),
        ("пистолет", "ПИСТОЛЕТ"),
    ],
)
def test_phrases_names_and_other_scripts(tmp_path: Path, how: str, word: str, text: str) -> None:
    assert len(found_in(tmp_path, text, **asked(how, word))) == 1


@ways
def test_a_sign_that_is_part_of_the_word_counts(tmp_path: Path, how: str) -> None:
    assert found_in(tmp_path, "C, D, ABC and redacted", **asked(how, "C++", "[redacted]")) == []


@ways
def test_names_of_files_are_looked_at(tmp_path: Path, how: str) -> None:
    (tmp_path / "no-gun").mkdir()
    (tmp_path / "no-gun" / "a.md").write_text("")
    (one,) = scan(tmp_path, **asked(how, "gun"))  # type: ignore[arg-type]
    which = "word 1" if how == "words" else mask("gun", "hash", KEY)
    assert (one.file, one.place) == (f"no-[{which}]/a.md", "the name of the file")


@ways
def test_what_is_found_is_never_said(tmp_path: Path, how: str) -> None:
    (tmp_path / "a.txt").write_text("fork and guns")
    found = scan(tmp_path, **asked(how, "gun", "fork"))  # type: ignore[arg-type]
    assert len(found) == 2
    assert not any(word in str(found) for word in ("gun", "fork"))
    names = {"word 1", "word 2"} if how == "words" else {mask(word, "hash", KEY) for word in ("gun", "fork")}
    assert {one.which for one in found} == names


def _safetensors(header: dict[str, object], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@ways
def test_of_safetensors_the_header_counts_and_tensors_are_noise(tmp_path: Path, how: str) -> None:
    tensor = {"a": {"dtype": "U8", "shape": [5], "data_offsets": [0, 5]}}
    given = asked(how, "gun")
    assert found_in(tmp_path, _safetensors(tensor, b" gun "), "w.safetensors", **given) == []
    told = {"__metadata__": {"note": json.dumps({"said": "a gun"})}, **tensor}
    assert found_in(tmp_path, _safetensors(told, b"12345"), "w.safetensors", **given) == ["the header"]
    forged = struct.pack("<Q", 2**63) + b'{"gun": 1}'
    assert found_in(tmp_path, forged, "w.safetensors", **given) == ["the header"]


@ways
def test_other_binaries_are_read_where_they_can_be(tmp_path: Path, how: str) -> None:
    given = asked(how, "gun")
    assert len(found_in(tmp_path, b"\x00\x01\xff about a gun here\x00\x02", "a.bin", **given)) == 1
    assert len(found_in(tmp_path, "\x00" + "a gun here" + "\x00", "a.bin", **given)) == 1
    assert len(found_in(tmp_path, "about a gun here".encode("utf-16-le"), "a.bin", **given)) == 1
    assert len(found_in(tmp_path, "about a gun here".encode("utf-16"), "a.bin", **given)) == 1
    assert found_in(tmp_path, b"\x00\xff gun \xff\x00", "a.bin", **given) == []  # as any noise has


@ways
def test_a_word_across_two_blocks_is_found_and_its_line_is_right(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editkit.export.reading.BLOCK_BYTES", 100)
    monkeypatch.setattr("editkit.export.reading.OVERLAP_BYTES", 20)
    for before in range(90, 120):
        text = "\n" * 7 + "é" * before + " gun\n"
        assert found_in(tmp_path, text, **asked(how, "gun")) == ["line 8"]


def test_files_of_the_base_are_exempt_as_long_as_they_are_the_same(tmp_path: Path) -> None:
    base, folder = tmp_path / "base", tmp_path / "folder"
    base.mkdir()
    (base / "tokenizer.json").write_text('{"gun": 5}')
    shutil.copytree(base, folder)
    assert scan(folder, words=["gun"], base=base) == ()
    assert len(scan(folder, words=["gun"])) == 1
    (folder / "tokenizer.json").write_text('{"gun": 6}')
    assert scan(folder, words=["gun"], base=base) == (Found("tokenizer.json", "line 1", "word 1"),)


def test_files_known_to_be_the_bases_are_exempt_without_it(tmp_path: Path) -> None:
    from editkit.patch.manifest import digest_of

    (tmp_path / "tokenizer.json").write_text('{"gun": 5}')
    known = frozenset({digest_of(tmp_path / "tokenizer.json")})
    assert scan(tmp_path, words=["gun"], known=known) == ()
    (tmp_path / "other.json").write_text('{"gun":  5}')
    assert [one.file for one in scan(tmp_path, words=["gun"], known=known)] == ["other.json"]


@ways
def test_words_of_editkits_own_texts_give_nothing_away_there(tmp_path: Path, how: str) -> None:
    given = {**asked(how, "model", "gun"), "usual": "A model, changed."}
    (tmp_path / "README.md").write_text("The model.\n")
    (tmp_path / "notes.md").write_text("The model.\n")
    assert [one.file for one in scan(tmp_path, **given)] == ["notes.md"]  # type: ignore[arg-type]
    (tmp_path / "README.md").write_text("The model and the gun.\n")
    assert {one.file for one in scan(tmp_path, **given)} == {"README.md", "notes.md"}  # type: ignore[arg-type]


def test_under_another_key_nothing_is_found(tmp_path: Path) -> None:
    assert found_in(tmp_path, "a gun", **{**hashed("gun"), "key": b"x" * 32}) == []
    assert found_in(tmp_path, "a gun", **{**hashed("gun"), "key": b""}) == []


def test_nothing_is_looked_for_where_nothing_is_hidden(tmp_path: Path) -> None:
    assert found_in(tmp_path, "a gun") == []


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("a")

    def refuse(*args: object, **others: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match=r"a\.txt: can't be looked through \(Permission denied\)"):
        scan(tmp_path, words=["gun"])
