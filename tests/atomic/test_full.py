"""A disk that is full or read-only: the old output stays, nothing is left, and one sentence says so.

A real small file system is mounted where that is permitted, in a mount namespace of the child's own;
elsewhere a limit on the size of files stands in for a full disk.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

MOUNT = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1"'
LIMIT = 'ulimit -f 128 && exec "$2" -c "$3" "$1"'
READ_ONLY = MOUNT.replace("&&", '&& mkdir "$1/sub" && mount -o remount,ro "$1" &&', 1)

FULL = """
import sys
from pathlib import Path
from editkit.atomic import new_folder, write_whole
from editkit.errors import OutputError

root = Path(sys.argv[1])

def file(size):
    write_whole(root / "f", [b"x" * size])

def folder(size):
    with new_folder(root / "d", replace="editkit.json") as made:
        (made / "editkit.json").write_bytes(b"y")
        for n in range(4):
            (made / str(n)).write_bytes(b"x" * (size // 4))

file(50_000)
folder(50_000)
for write in (file, folder):
    try:
        write(1_000_000)
    except OutputError as error:
        print(error)
    else:
        raise SystemExit("it was written")
assert (root / "f").read_bytes() == b"x" * 50_000
assert {p.name: p.stat().st_size for p in (root / "d").iterdir()} == {
    "editkit.json": 1, "0": 12500, "1": 12500, "2": 12500, "3": 12500
}
assert {p.name for p in root.iterdir()} == {"f", "d"}, list(root.iterdir())
file(60_000)
folder(60_000)
"""
UNWRITABLE = """
import sys
from pathlib import Path
from editkit.atomic import new_folder, writable, write_whole
from editkit.errors import OutputError

def folder(place):
    with new_folder(place):
        raise SystemExit("the work began")

root = Path(sys.argv[1])
for write in (lambda place: write_whole(place, [b"x"]), writable, folder):
    for place in (root / "x", root / "sub" / "x"):
        try:
            write(place)
        except OutputError as error:
            print(error)
        else:
            raise SystemExit("it was written")
"""


@cache
def namespace() -> tuple[str, ...]:
    """How to run a command that mounts, empty where nobody may."""
    for command in (("unshare", "-m"), ("unshare", "-rm")):
        try:
            tried = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
        except FileNotFoundError:
            return ()
        if tried.returncode == 0:
            return command
    return ()


def ran(script: str, shell: str, folder: Path) -> list[str]:
    command = [*namespace(), "sh", "-c", shell, "sh", str(folder), sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_full_disk(tmp_path: Path) -> None:
    said = ran(FULL, MOUNT if namespace() else LIMIT, tmp_path)
    why = "No space left on device" if namespace() else "File too large"
    assert said == [f"{tmp_path}/{name}: can't be written ({why})" for name in ("f", "d")]


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    said = ran(FULL, LIMIT, tmp_path)
    assert said == [f"{tmp_path}/{name}: can't be written (File too large)" for name in ("f", "d")]


def test_a_read_only_place(tmp_path: Path) -> None:
    if namespace():
        said, why = ran(UNWRITABLE, READ_ONLY, tmp_path), "Read-only file system"
    else:
        # Where even root makes nothing.
        said, why = ran(UNWRITABLE, 'exec "$2" -c "$3" /proc/self', tmp_path), "No such file or directory"
    assert len(said) == 6
    assert [line for line in said if why not in line] == []
