"""Exports that can't be finished leave nothing, and those that can are whole; the base is only read."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from editkit.checkpoint import Checkpoint
from editkit.errors import EditkitError, ModelError, OutputError
from editkit.events import Advanced, Event, StageStarted
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.patch.file import Patch
from editkit.patch.manifest import Manifest
from tests.merging import contents, differing, patch_on, w_out

MS_RDONLY, MS_REMOUNT = 1, 32
EXPORT = """
import sys
from pathlib import Path
from editkit.checkpoint import Checkpoint
from editkit.errors import EditkitError
from editkit.export.merged import export_merged
from editkit.patch.file import Patch
sys.stdin.readline()
try:
    export_merged(Patch.load(sys.argv[1]), Checkpoint.open(Path(sys.argv[2])), Path(sys.argv[3]))
except EditkitError as error:
    print(error)
    sys.exit(1)
"""


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    return folder


@pytest.fixture
def patch(base: Path) -> Patch:
    return patch_on(base, w_out(base))


@pytest.fixture(params=["size", "same size", "other file", "gone"])
def change(request: pytest.FixtureRequest, base: Path) -> Callable[[], None]:
    file = base / "model.safetensors"

    def changing() -> None:
        time.sleep(0.01)  # longer than the clock of the file system may stand still
        if request.param == "size":
            with file.open("ab") as stream:
                stream.write(b"x")
        elif request.param == "same size":
            with file.open("r+b") as stream:
                stream.seek(-5, os.SEEK_END)
                stream.write(b"x")
        elif request.param == "other file":
            shutil.copy(file, base / "new")
            os.replace(base / "new", file)
        else:
            file.unlink()

    return changing


@pytest.mark.parametrize("when", ["copy (MB)", "hash"])
def test_a_base_that_changes_meanwhile(
    base: Path, patch: Patch, change: Callable[[], None], when: str, tmp_path: Path
) -> None:
    seen = []

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted) and event.name == when:
            seen.append(event)
            change()

    # Which of the two sees it first hangs on the threads.
    with pytest.raises(EditkitError, match=r"changed while|base differs|can't be read|shorter") as caught:
        export_merged(patch, Checkpoint.open(base), tmp_path / "out", tell=tell)
    assert len(seen) == 1
    assert len(str(caught.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_an_interrupt_leaves_nothing(base: Path, patch: Patch, tmp_path: Path) -> None:
    threads = threading.active_count()

    def tell(event: Event) -> None:
        if isinstance(event, Advanced):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_merged(patch, Checkpoint.open(base), tmp_path / "out", tell=tell)
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
    assert threading.active_count() == threads


@contextlib.contextmanager
def mounted(place: Path, options: str) -> Iterator[bool]:
    """A small file system in memory, where this process may mount one."""
    place.mkdir()
    library = ctypes.CDLL(None, use_errno=True)
    done = sys.platform == "linux" and not library.mount(
        b"tmpfs", os.fsencode(place), b"tmpfs", ctypes.c_ulong(0), options.encode()
    )
    try:
        yield done
    finally:
        if done:
            library.umount(os.fsencode(place))


@contextlib.contextmanager
def files_up_to(n_bytes: int) -> Iterator[None]:
    """No file of this process may grow longer: a write fails midway, as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_with_too_little_room(base: Path, patch: Patch, tmp_path: Path) -> None:
    before = contents(base)
    with mounted(tmp_path / "disk", "size=64k") as done:
        out, limit = tmp_path / "disk" / "out", contextlib.nullcontext() if done else files_up_to(30_000)
        with pytest.raises(OutputError) as caught, limit:
            export_merged(patch, Checkpoint.open(base), out)
        assert ("are free there" if done else "can't be written") in str(caught.value)
        assert not any((tmp_path / "disk").iterdir())
    assert contents(base) == before


@pytest.mark.parametrize("kernel", [True, False])
def test_a_disk_that_fills_up(
    base: Path, patch: Patch, kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.delattr(os, "copy_file_range")
    monkeypatch.setattr("editkit.atomic.folder._room", lambda *_: None)  # others wrote after it was asked
    with mounted(tmp_path / "disk", "size=64k") as done:
        limit = contextlib.nullcontext() if done else files_up_to(30_000)
        with pytest.raises(OutputError, match=r"No space left|File too large"), limit:
            export_merged(patch, Checkpoint.open(base), tmp_path / "disk" / "out")
        assert not any((tmp_path / "disk").iterdir())


def test_a_place_that_can_not_be_written(base: Path, patch: Patch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = [tmp_path / "file" / "out", tmp_path / ("x" * 300) / "out", tmp_path / ("x" * 300)]
    for place in places:
        with pytest.raises(OutputError, match="can't be written"):
            export_merged(patch, Checkpoint.open(base), place)
    with mounted(tmp_path / "disk", "size=9m") as done:
        if done:
            flags = ctypes.c_ulong(MS_RDONLY | MS_REMOUNT)
            assert not ctypes.CDLL(None).mount(None, os.fsencode(tmp_path / "disk"), None, flags, None)
            with pytest.raises(OutputError, match="Read-only"):
                export_merged(patch, Checkpoint.open(base), tmp_path / "disk" / "out")


def test_a_base_that_can_only_be_read(base: Path, patch: Patch, tmp_path: Path) -> None:
    before = contents(base)
    for path in (*base.iterdir(), base):
        path.chmod(0o555 if path.is_dir() else 0o444)
    export_merged(patch, Checkpoint.open(base), tmp_path / "out")
    assert differing(base, tmp_path / "out") == set(w_out(base))
    shutil.rmtree(tmp_path / "out")  # what was copied is the user's to change
    base.chmod(0o755)
    assert contents(base) == before


def test_a_second_writer_is_told(base: Path, patch: Patch, tmp_path: Path) -> None:
    out, told = tmp_path / "out", []

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted) and event.name == "hash":
            with pytest.raises(OutputError, match="another process is writing it") as caught:
                export_merged(patch, Checkpoint.open(base), out)
            told.append(caught)
            with pytest.raises(OutputError, match="another process is writing it"):
                export_reverted(base, out, patch_on(base, ()))

    export_merged(patch, Checkpoint.open(base), out, tell=tell)
    assert len(told) == 1
    assert differing(base, out) == set(w_out(base))


@pytest.mark.parametrize("same", [True, False], ids=["same place", "different places"])
def test_two_processes_at_once(base: Path, patch: Patch, same: bool, tmp_path: Path) -> None:
    patch.save(tmp_path / "p.editkit.safetensors")
    places = [tmp_path / "out", tmp_path / ("out" if same else "other")]
    running: list[Any] = []
    for place in places:
        command = [sys.executable, "-c", EXPORT, tmp_path / "p.editkit.safetensors", base, place]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        running.append(subprocess.Popen(command, text=True, **pipes))
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60) for one in running]
    assert [err for _, err in answers] == ["", ""]
    codes = sorted(one.returncode for one in running)
    assert codes == ([0, 1] if same else [0, 0])
    if same:
        [said] = [out for out, _ in answers if out]
        assert "is there already" in said or "another process is writing it" in said
    for place in places:
        assert Manifest.read(place).patches[0][1] == patch.digest
        assert differing(base, place) == set(w_out(base))
    assert not list(tmp_path.glob(".*"))


def test_memory_stays_flat(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    tensors = {f"layers.{at}.mlp.down_proj.weight": np.zeros((4096, 8192), np.float16) for at in range(5)}
    save_file(tensors, base / "model.safetensors")  # 335 MB
    tensors.clear()
    patch_on(base, w_out(base), (1, 5, 30)).save(tmp_path / "p")
    # Not getrusage: that one also counts what this process had when it forked.
    code = EXPORT + "print(Path('/proc/self/status').read_text())"
    command = [sys.executable, "-c", code, tmp_path / "p", base, tmp_path / "out"]
    done = subprocess.run(command, input="go\n", text=True, capture_output=True, check=True)
    [peak] = re.findall(r"VmHWM:\s*(\d+) kB", done.stdout)
    assert int(peak) < 120_000


def test_torch_is_not_imported() -> None:
    code = "import sys, editkit.export.merged, editkit.export.reverted, editkit.cli.export; "
    code += "sys.exit(bool({'torch', 'transformers', 'peft', 'mlflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_error_is_no_error_of_the_place(base: Path, patch: Patch, tmp_path: Path) -> None:
    checkpoint = Checkpoint.open(base)
    (base / "config.json").unlink()
    (base / "config.json").mkdir()
    (base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        export_merged(patch, checkpoint, tmp_path / "out")
