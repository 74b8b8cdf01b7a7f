"""A whole `apply`, killed at any moment: the old patch or the new one, and the next run succeeds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.atomic.watching import Server, Watched, serving, spread
from tests.killing_apply import PLACES

QUICK = {"apply": 3, "tracked": 2}
ALL = {"apply": 12, "tracked": 8}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("tests.killing_apply", tmp_path_factory.mktemp("kills") / "runs") as made:
        yield made


def kill(server: Server, counts: dict[str, int], seed: int) -> None:
    for name, count in counts.items():
        spread(Watched(server, name, PLACES[name]), count, seed)
    with closing(sqlite3.connect(server.folder / "mlflow.db")) as store:
        assert store.execute("pragma integrity_check").fetchall() == [("ok",)]
        states = [state for (state,) in store.execute("select status from runs")]
    # A killed run can't say that it was: it stays RUNNING.
    assert set(states) <= {"FINISHED", "RUNNING"}
    assert states.count("FINISHED") > counts["tracked"]


def test_an_apply_killed_at_random_moments(server: Server) -> None:
    kill(server, QUICK, seed=0)


@pytest.mark.slow
def test_an_apply_killed_at_many_random_moments(server: Server) -> None:
    kill(server, ALL, seed=1)
