"""What writing a merged checkpoint costs, beside copying the folder and beside transformers and PEFT.

    python benchmarks/export.py --sizes 0.5,1,2,4 --rounds 5

Checkpoints are made on the spot. Every run is a process of its own, in random order, with the base dropped
from the page cache (cold) or read beforehand (warm), and ends when the bytes are on the disk. Where a file
system that shares blocks can be mounted, exports are measured on one too.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LOAD = "import sys; from transformers import AutoModelForCausalLM as Auto; "
LOAD += "base, patch, lora, out = sys.argv[1:]; "
BY_HAND = LOAD + (
    "from editkit.patch.file import Patch; from editkit.model.patching import write_patch; "
    "model = Auto.from_pretrained(base, dtype='auto'); write_patch(model, Patch.load(patch)); "
    "model.save_pretrained(out)"
)
PEFT = LOAD + (
    "from peft import PeftModel; model = Auto.from_pretrained(base, dtype='auto'); "
    "PeftModel.from_pretrained(model, lora).merge_and_unload().save_pretrained(out)"
)
EDITKIT = [sys.executable, "-m", "editkit"]
HASH = "import sys; from pathlib import Path; from editkit.patch.manifest import digest_of; "
HASH += "[digest_of(path) for path in Path(sys.argv[1]).rglob('*') if path.is_file()]"
CHECK = "import sys; from pathlib import Path; from editkit.export.checking import check_folder; "
CHECK += "check_folder(Path(sys.argv[1]))"
Commands = dict[str, list[list[str]]]


@dataclass(frozen=True)
class Run:
    """Seconds on the clock, and the largest memory of its processes in MB."""

    seconds: float
    megabytes: float


def spent(commands: list[list[str]]) -> Run:
    begun, peak = time.perf_counter(), 0
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)[:200]}: {said.decode()[-500:]}")
        peak = max(peak, used.ru_maxrss)
    return Run(time.perf_counter() - begun, peak / 1000)


def settle(base: Path, caches: str) -> None:
    """The same page cache before each run: without the base in it, or with all of it."""
    os.sync()  # what is not yet on the disk can't be dropped
    for path in (one for one in base.rglob("*") if one.is_file()):
        with path.open("rb") as stream:
            if caches == "cold":
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            else:
                while stream.read(1 << 24):
                    pass


def apart(call: str, *args: object) -> str:
    """What a function of `llama_sized` returns, called in a process of its own."""
    # Processes report at least the memory of the one that started them, so this one stays small.
    code = f"import sys, pathlib, llama_sized; print(llama_sized.{call})"
    command = [sys.executable, "-c", code, *map(str, args)]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path[1:]])}
    return subprocess.run(command, env=here, check=True, capture_output=True, text=True).stdout.strip()


def measure(commands: Commands, base: Path, out: Path, caches: str, rounds: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name in random.sample(list(commands), len(commands)):
            shutil.rmtree(out, ignore_errors=True)
            settle(base, caches)
            runs[name].append(spent(commands[name]))
    shutil.rmtree(out, ignore_errors=True)
    return runs


def row(size: float, caches: str, name: str, runs: list[Run], against: list[Run]) -> None:
    wall = median(run.seconds for run in runs)
    ratio = wall / median(run.seconds for run in against)
    spread = f"{min(run.seconds for run in runs):.2f} to {max(run.seconds for run in runs):.2f}"
    peak = max(run.megabytes for run in runs)
    print(
        f"| {size:g} GB | {caches} | {name} | {wall:.2f} ({spread}) | {ratio:.2f} | {peak:,.0f} |", flush=True
    )


def commands_for(base: Path, patch: Path, out: Path, peers: bool) -> Commands:
    export = [*EDITKIT, "export", str(patch), "--base", str(base), "--merged", str(out), "-q"]
    found: Commands = {
        "cp -r, sync": [["cp", "-r", "--reflink=never", str(base), str(out)], ["sync"]],
        "editkit export --merged": [export],
        "editkit export --merged --no-digests": [[*export, "--no-digests"]],
    }
    if not peers:
        return found
    lora = patch.with_name("lora")
    shutil.rmtree(lora, ignore_errors=True)
    args = [str(base), str(patch), str(lora), str(out)]
    found["from_pretrained, save_pretrained, sync"] = [[sys.executable, "-c", BY_HAND, *args], ["sync"]]
    subprocess.run(
        [*EDITKIT, "export", str(patch), "--base", str(base), "--lora", str(lora), "-q"], check=True
    )
    found["PEFT merge_and_unload, save_pretrained, sync"] = [[sys.executable, "-c", PEFT, *args], ["sync"]]
    return found


def compare(root: Path, sizes: list[float], args: argparse.Namespace, *, peers: bool, shared: bool) -> None:
    print(
        "| size | page cache | what | seconds, median (range) | of cp | peak MB |\n|---|---|---|---|---|---|"
    )
    for size in sizes:
        base, patch, out = root / "base", root / "p.editkit.safetensors", root / "out"
        shutil.rmtree(base, ignore_errors=True)
        call = "write_llama(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
        apart(call, base, int(size * 1e9), int(args.shard * 1e9))
        apart("patch_over(pathlib.Path(sys.argv[1]), 4, 8).save(sys.argv[2])", base, patch)
        commands = commands_for(base, patch, out, peers)
        if shared:
            commands["cp -r --reflink=always, sync"] = [
                ["cp", "-r", "--reflink=always", str(base), str(out)],
                ["sync"],
            ]
        for caches in args.caches.split(","):
            runs = measure(commands, base, out, caches, args.rounds)
            for name, found in runs.items():
                row(size, caches, name, found, runs["cp -r, sync"])
        verify(base, patch, out, size, args.rounds)
        shutil.rmtree(base)


def verify(base: Path, patch: Path, out: Path, size: float, rounds: int) -> None:
    """The speed of `editkit verify` beside that of hashing the same files one after the other."""
    spent([[*EDITKIT, "export", str(patch), "--base", str(base), "--merged", str(out), "-q", "--force"]])
    commands: Commands = {
        "SHA-256 of the merged folder's files": [[sys.executable, "-c", HASH, str(out)]],
        "editkit's check of the merged folder": [[sys.executable, "-c", CHECK, str(out)]],
    }
    settle(out, "warm")
    runs = {name: [spent(command) for _ in range(rounds)] for name, command in commands.items()}
    for name, found in runs.items():
        row(size, "warm", name, found, runs["SHA-256 of the merged folder's files"])
    shutil.rmtree(out)


@contextmanager
def sharing_blocks(root: Path, n_bytes: int) -> Iterator[tuple[str, Path] | None]:
    """A file system in a file, mounted, on which a copy can share blocks; None where none can be had."""
    image, place = root / "disk.img", root / "mounted"
    place.mkdir()
    for kind in ("xfs", "btrfs"):
        if shutil.which(f"mkfs.{kind}") is None:
            continue
        with image.open("wb") as stream:
            stream.truncate(n_bytes)
        made = subprocess.run([f"mkfs.{kind}", "-q", str(image)], capture_output=True, check=False)
        mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, check=False)
        if made.returncode or mounted.returncode:
            image.unlink()
            continue
        try:
            yield kind, place
        finally:
            subprocess.run(["umount", place], check=False)
            image.unlink()
        return
    yield None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="0.5,1,2,4", help="GB, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shard", type=float, default=1.0, help="GB of one file at most")
    parser.add_argument("--caches", default="warm,cold")
    parser.add_argument("--root", type=Path, help="where to work; a temporary folder otherwise")
    parser.add_argument("--no-peers", action="store_true", help="leave transformers and PEFT out")
    args = parser.parse_args()
    sizes = [float(size) for size in args.sizes.split(",")]
    with tempfile.TemporaryDirectory(dir=args.root, prefix="editkit-") as folder:
        root = Path(folder)
        load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
        print(f"{os.cpu_count()} cores, load before: {load}\n")
        call = "patch_bytes(4096, 11_008, [3, 12, 20, 31], 8, pathlib.Path(sys.argv[1]))"
        size = int(apart(call, root / "seven"))
        print(f"A patch of 8 neurons on a 7B-shaped model: {size:,} bytes\n", flush=True)
        compare(root, sizes, args, peers=not args.no_peers, shared=False)
        with sharing_blocks(root, int(max(sizes) * 3e9) + (1 << 30)) as found:
            if found is None:
                print("\nNo file system that shares blocks could be mounted here.")
                return
            kind, place = found
            print(f"\nOn {kind}, in a file:\n")
            compare(place, sizes, args, peers=False, shared=True)


if __name__ == "__main__":
    main()
