"""Killed anywhere in a whole apply, it leaves the old patch or the new one, whole; the next run succeeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.atomic.applying import WRITERS
from tests.atomic.watching import Server, Watched, serving, spread

QUICK, ALL = {"apply": 4, "tracked apply": 1}, {"apply": 12, "tracked apply": 8}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("tests.atomic.applying", tmp_path_factory.mktemp("applies") / "a space and ü") as made:
        yield made


@pytest.mark.parametrize("name", WRITERS)
def test_an_apply_killed_at_random_moments(server: Server, name: str) -> None:
    spread(Watched(server, name, WRITERS[name]), QUICK[name], seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_an_apply_killed_at_many_random_moments(server: Server, name: str) -> None:
    spread(Watched(server, name, WRITERS[name]), ALL[name], seed=1)
