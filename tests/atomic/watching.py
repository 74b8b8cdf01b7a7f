"""What is watched while a writer is killed: its place, its leftovers, and what it only reads."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
KILLED = -9

Tree = dict[str, str]


def tree(place: Path) -> Tree:
    """Every file of a file or folder -> SHA-256; empty where nothing is there."""
    files = [place] if place.is_file() else sorted(place.rglob("*"))
    return {
        path.relative_to(place).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


class Server:
    """A process that forks a writer for each order it is given, such as `killing.py`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"folder": str(self.folder), **order}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def serving(module: str, folder: Path) -> Iterator[Server]:
    """`python -m module folder`, ended with the block."""
    command = [sys.executable, "-m", module, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Server(process, folder)
        finally:
            process.kill()


class Watched:
    """One writer, what it should write, and what it did."""

    def __init__(self, server: Server, name: str, place: str) -> None:
        self.server, self.name = server, name
        self.place = server.folder / place
        self.whole: dict[str, Tree] = {}
        self.times: deque[float] = deque(maxlen=5)
        for which in ("new", "old", "new", "old"):
            assert self.run(which) == 0
            assert self.whole.setdefault(which, tree(self.place)) == tree(self.place)
        assert self.whole["new"] != self.whole["old"]
        self.now = "old"
        self.base = tree(server.folder / "base")
        self.names = self.there()
        assert not any(name.startswith(".") for name in self.names)

    def there(self) -> set[str]:
        """What lies in the folder, but for the runs that killed ones left for `editkit sync`."""
        return {path.name for path in self.server.folder.iterdir()} - {".editkit"}

    @property
    def seconds(self) -> float:
        """What it takes to write, as long as the machine is as busy as now."""
        return median(self.times)

    def run(self, which: str, **when: Any) -> int:
        """The exit code."""
        answer = self.server.ask(writer=self.name, which=which, **when)
        if not when:
            self.times.append(answer["seconds"])
        return int(answer["code"])

    def kill(self, *moments: dict[str, Any]) -> int:
        """Write the other contents and be killed, at each moment in turn; look; write again; look.

        Returns:
            How often it was killed; at the other moments it was done already.
        """
        other = "new" if self.now == "old" else "old"
        killed = 0
        for when in moments:
            code = self.run(other, **when)
            assert code in (0, KILLED)
            killed += code == KILLED
            assert tree(self.place) in (
                [self.whole["old"], self.whole["new"]] if code else [self.whole[other]]
            )
        assert self.run(other) == 0
        self.now = other
        assert tree(self.place) == self.whole[other]
        assert tree(self.server.folder / "base") == self.base
        assert self.there() == self.names
        return killed


def spread(watched: Watched, count: int, seed: int) -> None:
    """Kill it `count` times, at moments spread over its time; who was done before is tried again."""
    draw, tries = random.Random(seed), 0
    for number in range(count):
        killed = False
        while not killed:
            killed = bool(watched.kill({"delay": watched.seconds * (number + draw.random()) / count}))
            tries += 1
            assert tries < 20 * count
