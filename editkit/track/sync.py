"""Runs whose store was not there, sent to it later: each arrives once, however often that is tried."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from editkit.atomic.lock import locked
from editkit.errors import OutputError, TrackError
from editkit.events import Noted, Tell, nobody
from editkit.track.courier import Courier, reason
from editkit.track.journal import LINES, Entry, Lines, journals, removed
from editkit.track.store import Unusable, quiet, settled, shown, store_uri


@dataclass(frozen=True)
class Synced:
    """A journal and what became of it.

    Attributes:
        name: the run's.
        store: its address, without a password.
        run_id: the run in that store; None where it has not arrived whole.
        why: a sentence on what failed.
    """

    journal: Path
    name: str
    store: str
    run_id: str | None = None
    experiment: str | None = None
    why: str | None = None


def sync(to: str | None = None, experiment: str | None = None, tell: Tell = nobody) -> list[Synced]:
    """Send every journal that is left, and take away what has arrived; what is still being written stays.

    Args:
        to: another store than the one each run was meant for.
        experiment: another experiment.
    """
    found: list[Synced] = []
    dead: dict[str, str] = {}
    with quiet():
        for folder in journals():
            try:
                # The first is its writer's, the second that of the process which sends for it.
                with locked(folder / "writing"), locked(folder / "sending"):
                    one = _synced(folder, to, experiment, dead, tell)
            except OutputError:
                tell(Noted(f"{folder} is still being written or sent: it stays"))
                continue
            except FileNotFoundError:  # it arrived in this moment
                continue
            except OSError as error:
                one = Synced(folder, folder.name, "", why=f"{folder} can't be read ({error.strerror})")
            if one is not None:
                found.append(one)
    return found


def _synced(
    folder: Path, to: str | None, experiment: str | None, dead: dict[str, str], tell: Tell
) -> Synced | None:
    try:
        first = _first(folder)
        if first is None:  # its writer was killed before it had written anything, or while it was removed
            removed(folder)
            return None
        uri = _address(folder, first, to)
    except TrackError as error:
        return Synced(folder, folder.name, "", why=str(error))
    known = (folder, str(first["name"]), shown(uri))
    if uri in dead:
        return Synced(*known, why=dead[uri])
    courier = Courier(folder, uri, tell, experiment=experiment, later=True)
    try:
        courier.advance()
        if not courier.complete:
            courier.end_killed()
    except Exception as error:  # a store may be any plugin, and fails with any kind of error
        why = reason(error, uri)
        if isinstance(error, Unusable):
            dead[uri] = why
        return Synced(*known, why=why)
    finally:
        courier.close()
    removed(folder)
    return Synced(*known, run_id=courier.run_id(0), experiment=courier.experiment)


def _first(folder: Path) -> Entry | None:
    if not (folder / LINES).is_file():
        return None
    lines = Lines(folder)
    try:
        return next(lines.new(), None)
    finally:
        lines.close()


def _address(folder: Path, first: Entry, to: str | None) -> str:
    """Where a run goes to; an address with a password is kept without it."""
    if to is not None:
        return settled(to)
    meant = str(first["store"])
    here = settled(store_uri(None))
    if meant == shown(here):
        return here
    if "***@" in meant:
        raise TrackError(
            f"{folder} is meant for {meant}, whose password is not kept: "
            "set MLFLOW_TRACKING_URI to the whole address, or give it with --to"
        )
    return meant
