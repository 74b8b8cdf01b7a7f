"""A stranger's folder is checked, merged and reverted, and nothing outside of the output is touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given

from editkit.checkpoint import Checkpoint
from editkit.errors import EditkitError
from editkit.export.checking import check_folder
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST
from tests.atomic.killing import make, make_base
from tests.atomic.watching import tree
from tests.patch.forging import forging
from tests.patch.mutations import forged_json

NAME = "editkit/edit.editkit.safetensors"
SECONDS = 10


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base`, `new`: a patch for it, `merged`: the base with another one, and `victim`: nobody's business."""
    root = tmp_path_factory.mktemp("honest")
    base = make_base(root / "base")
    make(base, 1).save(root / "new")
    export_merged(make(base, 0), base, root / "merged")
    (root / "victim").mkdir()
    (root / "victim" / "precious").write_text("precious")
    return root


@pytest.fixture
def world(honest: Path, tmp_path: Path) -> Path:
    shutil.copytree(honest, tmp_path / "world")
    return tmp_path / "world"


def names_outside(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["patches"][0][0] = "../new"
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def patch_leads_outside(folder: Path) -> None:
    (folder / NAME).unlink()
    (folder / NAME).symlink_to("../../new")


def patches_lead_outside(folder: Path) -> None:
    shutil.rmtree(folder / "editkit")
    (folder / "editkit").symlink_to("../victim")


def pipes(folder: Path) -> None:
    for name in (NAME, "tokenizer.json", "config.json"):
        (folder / name).unlink()
        os.mkfifo(folder / name)


def odd_names(folder: Path) -> None:
    for name in ("\x1b[2J\x1b]0;x\x07", "\u202e", "\x1b.bin", "a\nb", "\udcff", "x" * 255, " "):
        (folder / name).write_text("?")


def links(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to("..")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "gone").symlink_to("nowhere")
    (folder / "vocab.txt").symlink_to("../victim/precious")


def deep(folder: Path) -> None:
    (folder / "/".join(["deep"] * 300)).mkdir(parents=True)


def manifest_is_a_folder(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()


def manifest_is_a_pipe(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)


def shard_leads_outside(folder: Path) -> None:
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    for name in index["weight_map"]:
        index["weight_map"][name] = "../victim/precious"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


TRICKS = (
    names_outside, patch_leads_outside, patches_lead_outside, pipes, odd_names, links, deep,
    manifest_is_a_folder, manifest_is_a_pipe, shard_leads_outside,
)  # fmt: skip


@contextmanager
def awake() -> Iterator[None]:
    """Nothing waits for a pipe, or reads a device without end."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(world: Path, out: Path) -> tuple[str, ...]:
    return check_folder(world / "merged", Checkpoint.open(world / "base")).wrong


def merge(world: Path, out: Path) -> tuple[str, ...]:
    patch = Patch.load(world / "new")
    return export_merged(patch, Checkpoint.open(world / "merged"), out).notes


def revert(world: Path, out: Path) -> tuple[str, ...]:
    return export_reverted(world / "merged", out).notes


def regular(root: Path) -> dict[str, str]:
    """Every plain file, links not followed, with its digest."""
    found = (Path(where, name) for where, _, names in os.walk(root) for name in names)
    plain = [path for path in found if path.is_file() and not path.is_symlink()]
    return {os.fsdecode(os.fsencode(path)): tree(path)["."] for path in plain}


def tried(work: Callable[[Path, Path], tuple[str, ...]], world: Path, out: Path) -> tuple[str, ...]:
    before = regular(world)
    try:
        with awake():
            said = work(world, out)
    except EditkitError as error:
        said = (str(error),)
        assert not out.exists()
    assert regular(world) == before
    assert {path.name for path in out.parent.iterdir()} <= {"world", "out"}
    assert all(not path.is_symlink() for path in out.rglob("*"))
    return said


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("work", [check, merge, revert])
def test_a_strangers_folder(
    trick: Callable[[Path], None], work: Callable[[Path, Path], tuple[str, ...]], world: Path
) -> None:
    trick(world / "merged")
    said = tried(work, world, world.parent / "out")
    assert said if work is check and trick is not deep else True
    assert [ascii(one) for one in said if not one.isprintable() or len(one) > 2_000] == []


def test_forged_manifests_of_a_folder(honest: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    shutil.copytree(honest, world)
    text = (world / "merged" / MANIFEST).read_bytes()

    @forging(60)
    @given(forged_json(text))
    def forged(content: bytes) -> None:
        (world / "merged" / MANIFEST).write_bytes(content)
        for work in (check, revert):
            tried(work, world, tmp_path / "out")
            shutil.rmtree(tmp_path / "out", ignore_errors=True)

    forged()
