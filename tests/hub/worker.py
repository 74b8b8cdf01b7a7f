"""Another process that talks to a Hub: the client reads at import where the Hub is.

One process answers many calls, because importing takes longer than most of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command line or a script said; `value` is what a script called `value`."""

    code: int
    out: str
    err: str
    value: Any = None

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def environment(endpoint: str, home: Path, token: str | None = None) -> dict[str, str]:
    """Of a process for which the Hub is at `endpoint`, with a cache of its own in `home`."""
    found = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "no_proxy": "127.0.0.1,localhost",
        "COLUMNS": "200",
    }
    return {**found, "HF_TOKEN": token} if token is not None else found


class Worker:
    """Runs command lines and scripts in one other process."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hub.process"],
            env=environment(endpoint, home),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, *args: str | Path, token: str | None = None, cwd: Path | None = None) -> Answer:
        """`editkit ARGS`, with this token and no other."""
        return self._asked({"args": [str(arg) for arg in args], "token": token, "cwd": str(cwd or ROOT)})

    def script(self, text: str, token: str | None = None, **names: Any) -> Answer:
        """Python in which `names` are there; an error of editkit's is its sentence in `err`, with code 1."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in names.items()}
        return self._asked({"script": text, "names": plain, "token": token, "cwd": str(ROOT)})

    def _asked(self, request: Mapping[str, Any]) -> Answer:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the other process ended"
        return Answer(**json.loads(line))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
