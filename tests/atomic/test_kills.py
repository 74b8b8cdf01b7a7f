"""Killed at any moment, a writer leaves the old output or the new one, whole; the next run succeeds.

To have another writer killed, add a line to `WRITERS` in `killing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.atomic.killing import WRITERS
from tests.atomic.watching import Server, Watched, serving, spread

QUICK, ALL = 20, 180


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("tests.atomic.killing", tmp_path_factory.mktemp("kills") / "a space and ü") as made:
        yield made


def kill_at_random(server: Server, count: int, seed: int) -> None:
    """`count` kills, shared among the writers, at moments spread over each one's time."""
    for at, (name, writer) in enumerate(WRITERS.items()):
        spread(Watched(server, name, writer.place), len(range(at, count, len(WRITERS))), seed)


def test_killed_at_random_moments(server: Server) -> None:
    kill_at_random(server, QUICK, seed=0)


@pytest.mark.slow
def test_killed_at_many_random_moments(server: Server) -> None:
    kill_at_random(server, ALL, seed=1)


def kill_before_each(server: Server, name: str, step: int) -> int:
    """Before every `step`-th use, and once more while the next run clears away what the first left."""
    watched, number = Watched(server, name, WRITERS[name].place), 0
    while watched.kill({"event": number}, {"event": number // 2}):
        number += step
    return number


@pytest.mark.parametrize("name", WRITERS)
def test_killed_before_some_uses_of_the_file_system(server: Server, name: str) -> None:
    assert kill_before_each(server, name, 3 if name == "patch" else 23) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_killed_before_each_use_of_the_file_system(server: Server, name: str) -> None:
    assert kill_before_each(server, name, 1) > 5
