"""A connection breaks, or a process dies, while an edit goes up or comes down: the next try ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.export.test_hub import contents, here
from tests.hub import Hub, Worker
from tests.hub.fixtures import ANA, Shipped
from tests.hub.worker import environment


@pytest.fixture
def llama(shipped: Callable[..., Shipped]) -> Shipped:
    return shipped("llama", 11)


def killed_while_held(
    serving: Hub, digest: str, cwd: Path, *args: str | Path, until: Callable[[], bool]
) -> None:
    """Runs a command in a process that is killed while the Hub holds one of its files, and `until` is so."""
    faults = serving.faults
    faults.held = digest
    faults.holding.clear()
    faults.released.clear()
    command = [sys.executable, "-m", "editkit", *map(str, args)]
    process = subprocess.Popen(
        command, env=environment(serving.endpoint, cwd / "hf", ANA), cwd=cwd, stderr=subprocess.DEVNULL
    )
    try:
        assert faults.holding.wait(60)
        for _ in range(200):
            if until():
                break
            time.sleep(0.05)
        assert until()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        faults.held = None
        faults.released.set()


def test_a_broken_upload_is_sent_again(worker: Worker, serving: Hub, llama: Shipped) -> None:
    serving.faults.uploads = 1
    answer = worker.call("push", llama.lora, "org/broken", token=ANA)
    assert answer.code == 0, answer.err
    assert serving.faults.uploads == 0
    assert here(serving.repositories["org/broken"]) == contents(llama.lora)


def test_a_killed_push_leaves_nothing_half_done_and_goes_on(
    worker: Worker, serving: Hub, shipped: Callable[..., Shipped], tmp_path: Path
) -> None:
    from editkit.patch.manifest import digest_of

    edit, name = shipped("llama", 12), "org/killed"
    weights = digest_of(edit.merged / "model.safetensors")
    came_through = partial(serving.large.__contains__, edit.patch.digest)
    killed_while_held(serving, weights, tmp_path, "push", edit.merged, name, until=came_through)
    repository = serving.repositories[name]
    assert here(repository) == {}, "the repository is there, and nothing in it"
    assert weights not in serving.large
    before = len(serving.requests)
    answer = worker.call("push", edit.merged, name, token=ANA)
    assert answer.code == 0, answer.err
    assert here(repository) == contents(edit.merged)
    sent = [path for method, path, _ in serving.requests[before:] if method == "PUT"]
    assert sent == [f"/lfs/{weights}"], "what came through the first time is not sent again"


def test_a_broken_download_is_asked_for_again(
    worker: Worker, serving: Hub, llama: Shipped, tmp_path: Path
) -> None:
    assert worker.call("push", llama.merged, "org/half", token=ANA).code == 0
    serving.faults.downloads = 1
    before = len(serving.requests)
    answer = worker.call("pull", "org/half", "-o", tmp_path / "got")
    assert answer.code == 0, answer.err
    assert contents(tmp_path / "got") == contents(llama.merged)
    given = [path for method, path, _ in serving.requests[before:] if method == "GET" and "/cdn/" in path]
    assert len(given) == 3, "two large files, and one of them twice"


def test_a_killed_pull_leaves_no_folder_and_goes_on(
    worker: Worker, serving: Hub, shipped: Callable[..., Shipped], tmp_path: Path
) -> None:
    edit, name = shipped("llama", 13), "org/dropped"
    assert worker.call("push", edit.merged, name, token=ANA).code == 0
    weights = serving.repositories[name].files["model.safetensors"].sha256
    blob = tmp_path / "hf" / "hub" / "models--org--dropped" / "blobs" / edit.patch.digest
    killed_while_held(serving, weights, tmp_path, "pull", name, "-o", "got", until=blob.exists)
    assert not (tmp_path / "got").exists()
    before = len(serving.requests)
    done = subprocess.run(
        [sys.executable, "-m", "editkit", "pull", name, "-o", "got"],
        env=environment(serving.endpoint, tmp_path / "hf"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "got") == contents(edit.merged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["got", "hf"]
    given = [path for method, path, _ in serving.requests[before:] if method == "GET" and "/cdn/" in path]
    assert given == [f"/cdn/{weights}"], "what came through the first time is not asked for again"
