from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from editkit.cli.ui import DEFAULT_STORE, store


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def test_the_store_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store(None) == DEFAULT_STORE
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///a")
    assert store(None) == "sqlite:///a"
    monkeypatch.setenv("EDITKIT_TRACK__URI", "sqlite:///b")
    assert store(None) == "sqlite:///b"
    assert store("sqlite:///c") == "sqlite:///c"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ([], 1, "no runs yet; run `editkit apply` first"),
        (["--uri", "sqlite:///other.db"], 1, "other.db"),
        (["--uri", "http://localhost:1"], 2, "is a server already"),
    ],
)
def test_what_can_not_be_opened_is_one_sentence(call: Any, args: list[str], code: int, words: str) -> None:
    answer = call("ui", *args)
    assert answer.code == code
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_port_that_is_taken(call: Any, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = call("ui", "--port", str(taken.getsockname()[1]))
    assert answer.code == 1
    assert "try another --port" in answer.err


def test_env_names_the_versions(call: Any) -> None:
    document = call("--json", "env").document
    assert document["torch"] == metadata.version("torch")
    assert document["store"] == DEFAULT_STORE
    lines = call("env").out.splitlines()
    assert [line.split()[0] for line in lines] == [name for name in document if name != "status"]


@pytest.mark.slow
def test_the_pages_come_up_and_ctrl_c_ends_them(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "mlflow.db").touch()
    command = [sys.executable, "-m", "editkit", "ui", "--port", str(port)]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Programs begun in the background ignore SIGINT, and so do the ones they begin: this one must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/health", seconds=120)
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(60) == 130
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def answers(url: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.5)
    return False
