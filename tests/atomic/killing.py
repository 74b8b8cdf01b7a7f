"""Writers that are killed: a server without torch that forks a child for each, and says what became of it.

    python -m tests.atomic.killing FOLDER < orders

An order is one line of JSON: a writer's name, its folder, whether it writes the old or the new contents, and
when to kill it: so many seconds after it began, before its n-th use of the file system, or never.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from editkit.checkpoint import Checkpoint
from editkit.delta import Delta, LayerDelta
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.patch.file import Patch
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.make import Place, make_patch

LAYERS, D_MODEL, D_MLP, NEURONS = 3, 128, 512, 64
# What the interpreter tells an audit hook of: everything here that touches the file system.
FILE_EVENTS: Final = frozenset(
    ("open", "fcntl.flock", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree")
)


@dataclass(frozen=True)
class Writer:
    """What writes a file or folder: its place, and the call that writes one of two patches there."""

    place: str
    write: Callable[[Path, Patch, Path], object]


def merge(base: Path, patch: Patch, place: Path) -> None:
    export_merged(patch, Checkpoint.open(base), place, replace=True)


def revert(base: Path, patch: Patch, place: Path) -> None:
    """Takes out of a folder with both patches the other one than `patch`, so that this one stays."""
    for name in ("old", "new"):
        other = Patch.load(base.parent / f"{name}.editkit.safetensors")
        if other != patch:
            export_reverted(base.parent / "both", place, other, replace=True)


WRITERS: Final = {
    "patch": Writer("an edit.editkit.safetensors", lambda base, patch, place: patch.save(place)),
    "merged": Writer("merged with ü", merge),
    "reverted": Writer("reverted", revert),
}


def make_base(folder: Path) -> Checkpoint:
    """A checkpoint of two files in the form of a Llama's, of 0.8 MB of random weights."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    names = [f"model.layers.{layer}.mlp.down_proj.weight" for layer in range(LAYERS)]
    weights = {name: draw.normal(size=(D_MODEL, D_MLP)).astype("<f4") for name in names}
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": D_MODEL})
    )
    (folder / "tokenizer.json").write_text("{}")
    files = {name: f"model-0000{1 + at // 2}-of-00002.safetensors" for at, name in enumerate(names)}
    index = {"metadata": {"total_size": sum(one.nbytes for one in weights.values())}, "weight_map": files}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for file in sorted(set(files.values())):
        header, at, mine = {}, 0, [name for name in names if files[name] == file]
        for name in mine:
            end = at + weights[name].nbytes
            header[name] = {"dtype": "F32", "shape": [D_MODEL, D_MLP], "data_offsets": [at, end]}
            at = end
        text = json.dumps(header).encode()
        content = struct.pack("<Q", len(text)) + text + b"".join(weights[name].tobytes() for name in mine)
        (folder / file).write_bytes(content)
    return Checkpoint.open(folder)


def make(checkpoint: Checkpoint, seed: int) -> Patch:
    """A patch of 64 neurons in each layer, 0.2 MB."""
    draw = np.random.default_rng(seed)
    parts, places = [], {}
    for layer in range(LAYERS):
        # No neuron is in both patches, so that they can be merged one after the other.
        neurons = tuple(sorted((2 * draw.choice(D_MLP // 2, NEURONS, replace=False) + seed).tolist()))
        rows = draw.normal(size=(NEURONS, D_MODEL)).astype(np.float32)
        parts.append(LayerDelta(layer, None, neurons, rows))
        module = f"model.layers.{layer}.mlp.down_proj"
        places[layer, None] = Place(module, f"{module}.weight", "columns")
    base = Base(f"sha256:{checkpoint.identity}", None, "float32", checkpoint.config_digest)
    how = Provenance("0" * 64, Method("listed"), Method("gradient"), seed, accepted=True)
    return make_patch(Delta(tuple(parts)), places, checkpoint, base, how)


def prepare(folder: Path) -> None:
    """What the writers read: `base`, the two patches, and `both`, where both are in it."""
    checkpoint = make_base(folder / "base")
    for seed, name in enumerate(("old", "new")):
        make(checkpoint, seed).save(folder / f"{name}.editkit.safetensors")
    old, new = (Patch.load(folder / f"{name}.editkit.safetensors") for name in ("old", "new"))
    export_merged(old, checkpoint, folder / "one")
    export_merged(new, Checkpoint.open(folder / "one"), folder / "both")


def kill_before(number: int) -> None:
    """Have this process killed before its n-th use of the file system."""
    left = [number]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_EVENTS:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(hook)


def write(order: dict[str, Any], ready: Callable[[], None]) -> None:
    """One writer of WRITERS, after it has read its patch."""
    writer, folder = WRITERS[order["writer"]], Path(order["folder"])
    patch = Patch.load(folder / f"{order['which']}.editkit.safetensors")
    ready()
    writer.write(folder / "base", patch, folder / writer.place)


def forked(
    order: dict[str, Any], work: Callable[[dict[str, Any], Callable[[], None]], None]
) -> dict[str, Any]:
    """Do the work in a child, killed when the order says so; its exit code and seconds."""
    reading, writing = os.pipe()

    def ready() -> None:
        os.write(writing, b"1")
        if order.get("event") is not None:
            kill_before(order["event"])

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(order, ready)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    began = time.perf_counter()
    if order.get("delay") is not None:
        time.sleep(order["delay"])
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    return {"code": os.waitstatus_to_exitcode(status), "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line), write)), flush=True)
