"""Thousands of forged files: only the one error leaves, in one printable sentence, at once and cheaply."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings

from editkit.errors import EditkitError, PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Contents
from editkit.patch.reader import read
from editkit.patch.writer import pieces
from tests.patch.mutations import forged_tensor_files

GOLDEN = Path(__file__).parent / "golden" / "v1.editkit.safetensors"
LONGEST_SENTENCE = 700


def forging(count: int) -> settings:
    """So many examples, none of them kept or made smaller for long."""
    return settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)


def refused(work: Callable[[], object], kind: type[EditkitError], n_bytes: int) -> str | None:
    """What was said, None where it was accepted; anything but one cheap and printable sentence fails."""
    tracemalloc.start()
    began, said = process_time(), None
    try:
        work()
    except kind as error:
        said = str(error)
    finally:
        seconds, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < 1
    assert peak < 40 * n_bytes + 1_000_000
    if said is not None:
        assert said.isprintable(), ascii(said)
        assert 10 < len(said) < LONGEST_SENTENCE, said
    return said


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
