"""Thousands of forged files: only the one error leaves, in one printable sentence, at once and cheaply."""

from __future__ import annotations

import io
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from editkit.errors import PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Base, Contents
from editkit.patch.manifest import MANIFEST, File, Manifest
from editkit.patch.reader import read
from editkit.patch.writer import pieces
from tests.patch.forging import forging, refused
from tests.patch.mutations import forged_json, forged_tensor_files

GOLDEN = Path(__file__).parent / "golden" / "v1.editkit.safetensors"


@pytest.fixture(scope="module")
def honest(patch: Patch) -> tuple[bytes, ...]:
    empty = replace(patch, entries=())
    return (b"".join(pieces(patch)), GOLDEN.read_bytes(), b"".join(pieces(empty)))


def check_patches(honest: tuple[bytes, ...], count: int) -> Counter[str]:
    reasons: Counter[str] = Counter()

    @forging(count)
    @given(forged_tensor_files(honest, "editkit"))
    def check(content: bytes) -> None:
        found: list[Contents] = []
        work = lambda: found.append(read(io.BytesIO(content), len(content)))  # noqa: E731
        said = refused(work, PatchError, len(content))
        reasons[(said or "accepted")[:60]] += 1
        if said is None:
            assert b"".join(pieces(found[0])) == content
            Patch(**vars(found[0])).to_delta()

    check()
    return reasons


def test_forged_patches(honest: tuple[bytes, ...]) -> None:
    assert len(check_patches(honest, 2_000)) > 40


@pytest.mark.slow
def test_many_forged_patches(honest: tuple[bytes, ...]) -> None:
    assert len(check_patches(honest, 20_000)) > 60


HONEST = Manifest(
    1,
    "merged",
    Base("demo/scenes", None, "bfloat16", "a" * 64),
    (("editkit/an edit.editkit.safetensors", "b" * 64),),
    {"config.json": File(3, "c" * 64), "sub/tokenizer.json": File(0, None)},
)


def check_manifests(folder: Path, count: int) -> Counter[str]:
    reasons: Counter[str] = Counter()

    @forging(count)
    @given(forged_json(HONEST.to_json().encode()))
    def check(content: bytes) -> None:
        (folder / MANIFEST).write_bytes(content)
        found: list[Manifest] = []
        said = refused(lambda: found.append(Manifest.read(folder)), PatchError, len(content))
        reasons[(said or "accepted").removeprefix(str(folder))[:60]] += 1
        if said is None:
            assert found[0].to_json().encode() == content
            for name in (*found[0].files, *(name for name, _ in found[0].patches)):
                assert os.path.normpath(folder / name).startswith(f"{folder}/")

    check()
    assert [path.name for path in folder.iterdir()] == [MANIFEST]
    return reasons


def test_forged_manifests(tmp_path: Path) -> None:
    assert len(check_manifests(tmp_path, 400)) > 10


@pytest.mark.slow
def test_many_forged_manifests(tmp_path: Path) -> None:
    assert len(check_manifests(tmp_path, 4_000)) > 15


def test_a_manifest_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(PatchError, match=r"can't be read \(not a file\)"):
        Manifest.read(tmp_path)
