"""How long the command line takes to answer, and what it imports that it should not.

    python benchmarks/startup.py

Seconds on the clock count what other programs do meanwhile; seconds of the processor do not.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

RUNS = 5
GOAL = 0.6
HEAVY = ("numpy", "torch", "transformers", "mlflow", "peft")
GOOD = "version: 1\nname: a\nmodel: demo/scenes\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"


def spent(command: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of the processor for one run."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def heavy(command: list[str]) -> list[str]:
    """The heavy packages that a run imports."""
    traced = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]], capture_output=True, text=True, check=False
    )
    imported = {line.rpartition("|")[2].strip() for line in traced.stderr.splitlines()}
    return [name for name in HEAVY if name in imported]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        good, typo = Path(folder, "good.yaml"), Path(folder, "typo.yaml")
        good.write_text(GOOD)
        typo.write_text(GOOD.replace("suppress", "supress") + "locate: {tokns: all}\n")
        lines = (
            ("--help", ["--help"]),
            ("validate, a good recipe", ["validate", str(good)]),
            ("validate, a typo", ["validate", str(typo)]),
            ("schema", ["schema"]),
            ("apply, a typo", ["apply", str(typo)]),
        )
        print(f"{'editkit ...':<26}{'seconds':>8}{'processor':>11}  goal {GOAL}; imports that are heavy")
        for name, args in lines:
            command = [sys.executable, "-m", "editkit", *args]
            spent(command)
            runs = [spent(command) for _ in range(RUNS)]
            wall, busy = (median(column) for column in zip(*runs, strict=True))
            print(f"{name:<26}{wall:>8.2f}{busy:>11.2f}  {', '.join(heavy(command)) or 'none'}")
        command = [sys.executable, "-c", "import editkit"]
        bare = median(spent([sys.executable, "-c", "pass"])[1] for _ in range(RUNS))
        print(f"{'import editkit':<26}{'':>8}{median(spent(command)[1] for _ in range(RUNS)) - bare:>11.3f}")


if __name__ == "__main__":
    main()
