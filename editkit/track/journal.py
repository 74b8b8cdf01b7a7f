"""A run as a folder: what is to be sent to the store, line by line, and the files that go with it.

It is written from the first moment on, whether or not a store answers, and goes when everything has arrived.
What a killed process leaves is complete up to its last line.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

from editkit.errors import TrackError

VERSION: Final = 1
LINES: Final = "journal.jsonl"
SPOOL: Final = Path(".editkit", "spool")
ELSEWHERE: Final = "editkit-spool-"

Entry = dict[str, Any]


class Journal:
    """The writing end. A disk that is full ends it: `why` then says so, and nothing more is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.why: OSError | None = None
        folder.mkdir(parents=True, mode=0o700)
        self._lines = os.open(folder / LINES, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, op: str, run: int, **data: Any) -> None:
        """One line; `run` counts the runs of this journal from 0, nested ones after their parent."""
        line = json.dumps({"op": op, "run": run, "at": int(time.time() * 1000), **data}, ensure_ascii=False)
        self._try(lambda: self._append(line.encode("utf-8", "surrogatepass") + b"\n"))

    def file(self, run: int, place: str, make: Callable[[Path], object]) -> None:
        """One file of a run; `make` writes it at the path that it is given."""
        path = file_of(self.folder, run, place)

        def made() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Never written over: it may be on its way.
            beside = path.with_name(f".{secrets.token_hex(4)}{path.suffix}")
            make(beside)
            os.replace(beside, path)

        self._try(made)
        self.write("file", run, place=place)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._lines)

    def _append(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._lines, line) :]

    def _try(self, call: Callable[[], object]) -> None:
        if self.why is not None:
            return
        try:
            call()
        except OSError as error:
            self.why = error


def new_journal() -> Journal:
    """A journal beside the work, or where temporary files go if nothing can be written there.

    Raises:
        OSError: nor there.
    """
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
    try:
        return Journal(SPOOL.resolve() / name)
    except OSError:
        return Journal(Path(tempfile.mkdtemp(prefix=ELSEWHERE), name))


def journals() -> list[Path]:
    """Every journal that is left where `new_journal` makes them, the oldest first."""
    # In a folder for everybody, somebody else's may lie as well.
    elsewhere = [one for one in Path(tempfile.gettempdir()).glob(f"{ELSEWHERE}*") if _own(one)]
    found = [one for place in (SPOOL.resolve(), *elsewhere) for one in place.glob("*/")]
    return sorted(found, key=lambda one: one.name)


def _own(place: Path) -> bool:
    try:
        return os.lstat(place).st_uid == os.geteuid()
    except OSError:
        return False


def file_of(folder: Path, run: int, place: str) -> Path:
    """Where a journal keeps a run's file.

    Raises:
        ValueError: a place outside the run's files.
    """
    parts = PurePosixPath(place).parts
    if not parts or place.startswith("/") or ".." in parts:
        raise ValueError(f"{place!r} is no place for a run's file")
    return folder / "files" / str(run) / Path(*parts)


def sendable(folder: Path, run: int, place: str) -> Path:
    """The file that is there; a journal may have been in other hands, and nothing else of this machine goes.

    Raises:
        TrackError: it is gone, or no file of the journal's own.
    """
    try:
        path = file_of(folder, run, place)
    except ValueError as error:
        raise TrackError(f"{folder}: {error}") from error
    if not path.is_file() or path.resolve() != folder.resolve() / path.relative_to(folder):
        raise TrackError(
            f"{folder}: {path.relative_to(folder)} is gone, and the run can't be sent without it"
        )
    return path


def copied(source: Path) -> Callable[[Path], object]:
    """For `Journal.file`: a second name of a file that is only ever replaced, or a copy of it."""

    def make(path: Path) -> None:
        try:
            os.link(source, path)
        except OSError:
            shutil.copyfile(source, path)

    return make


class Lines:
    """The reading end: what is whole of a journal that may still be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / LINES).open("rb")
        self._rest = b""

    def new(self) -> Iterator[Entry]:
        """Entries since the last call; the last line of a killed process may be torn, and is none.

        Raises:
            TrackError: something that no journal holds.
        """
        self._rest += self._file.read()
        while b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            try:
                entry: Entry = json.loads(line.decode("utf-8", "surrogatepass"))
                yield {**entry, "op": str(entry["op"]), "run": int(entry["run"]), "at": int(entry["at"])}
            except (ValueError, TypeError, KeyError) as error:
                raise TrackError(f"{self._folder}: a damaged journal, which can't be sent") from error

    def close(self) -> None:
        self._file.close()


def removed(folder: Path) -> None:
    """Take a journal away, and the spool it lay in when that is empty; without its lines it is none."""
    with suppress(OSError):
        (folder / LINES).unlink()
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, folder.parent.parent):
        if parent.name in SPOOL.parts or parent.name.startswith(ELSEWHERE):
            with suppress(OSError):
                parent.rmdir()
