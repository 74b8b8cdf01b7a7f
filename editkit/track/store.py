"""Reach an MLflow store quietly, and find out within seconds that it can't be reached."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sqlite3
import tempfile
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from editkit.errors import TrackError
from editkit.events import Noted, Tell

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Named here although MLflow has one too: MLflow's turns into ./mlruns where an old one lies about.
DEFAULT_URI: Final = "sqlite:///mlflow.db"

# With MLflow's own settings a dead server blocks for four minutes, banners go to stdout and telemetry is on.
SETTINGS: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
HURRIED: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "6"}
TALKATIVE: Final = ("alembic", "mlflow")
HEALTH_SECONDS: Final = 4.0
LOCK_SECONDS: Final = 5.0
LONGEST_REASON: Final = 140


def store_uri(recipe_uri: str | None) -> str:
    """The store to use: the recipe's, the environment's, or the default beside the work.

    A run that `mlflow run` has begun lies in the environment's store, whatever the recipe says.
    """
    environment = os.environ.get("MLFLOW_TRACKING_URI")
    if os.environ.get("MLFLOW_RUN_ID") and environment:
        return environment
    return recipe_uri or environment or DEFAULT_URI


def settled(uri: str) -> str:
    """The same store, whatever folder it is named in."""
    database = database_of(uri)
    if database is None:
        return uri
    question = uri.partition("?")[2]
    return f"sqlite:///{database}" + (f"?{question}" if question else "")


def shown(uri: str) -> str:
    """The address without the password that may stand in it."""
    return re.sub(r"//[^/@]*@", "//***@", uri)


def first_line(error: Exception) -> str:
    """What an error of another library says first, without passwords; the rest is for its authors."""
    lines = shown(str(error)).strip().splitlines()
    return shorten(lines[0], LONGEST_REASON, placeholder=" …").rstrip(".") if lines else type(error).__name__


class Unusable(TrackError):
    """A store that does not answer, or is none; `reason` is what it says of itself."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


def unusable(uri: str, error: Exception) -> Unusable:
    why = first_line(error)
    return Unusable(
        f"the MLflow store {shown(uri)} can't be used ({why}): "
        f"start it or repair it, or name another one, for example with --set track.uri={DEFAULT_URI}",
        why,
    )


@contextmanager
def quiet(*, hurried: bool = False) -> Iterator[None]:
    """MLflow with short timeouts and without chatter, for a block; what the user has set stays as it is.

    Args:
        hurried: somebody waits for every call.
    """
    wanted = SETTINGS | (HURRIED if hurried else {})
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(missing)
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    try:
        import mlflow  # noqa: F401  (it sets its loggers' levels at import: ours come after)

        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
    finally:
        for name in missing:
            os.environ.pop(name, None)


def connect(uri: str, tell: Tell) -> MlflowClient:
    """A client whose store has answered once.

    Raises:
        TrackError: it does not answer, or is no MLflow store of this version.
    """
    from mlflow import MlflowClient

    if uri.startswith(("http://", "https://")):
        _ask_health(uri)
    usable(uri)
    try:
        with warnings.catch_warnings():
            # The user can't do anything about what MLflow's dependencies say to each other.
            warnings.simplefilter("ignore")
            if (database := database_of(uri)) is not None and not database.exists():
                tell(Noted(f"creating a new MLflow database at {database}"))
                _create(database)
            client = MlflowClient(tracking_uri=uri)
            client.search_experiments(max_results=1)
    except Exception as error:  # a store may be any plugin, and fails with any kind of error
        raise unusable(uri, error) from error
    return client


def usable(uri: str) -> None:
    """MLflow would wait for a locked SQLite file for 20 seconds, and for one that can't be opened for 100.

    Raises:
        Unusable: another program holds it, or it can't be opened or made.
    """
    database = database_of(uri)
    if database is None:
        return
    try:
        if not database.exists():
            database.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=database.parent).close()
            return
        with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    except (OSError, sqlite3.OperationalError) as error:
        raise unusable(uri, error) from error
    except sqlite3.DatabaseError:  # MLflow says what is wrong with it
        return


def _create(database: Path) -> None:
    """Make a database beside its place and put it there when it is whole.

    That takes seconds: Ctrl-C would leave one that MLflow refuses, and two processes would collide.
    """
    from mlflow import MlflowClient

    beside = database.with_name(f".{database.name}.{secrets.token_hex(4)}.tmp")
    try:
        MlflowClient(tracking_uri=f"sqlite:///{beside}").search_experiments(max_results=1)
        with suppress(FileExistsError):
            os.link(beside, database)
    finally:
        for file in (beside, beside.with_name(f"{beside.name}-journal")):
            with suppress(OSError):
                file.unlink()


def everything(ask: Callable[[str | None], Any]) -> list[Any]:
    """All pages of a search; `ask` is given the token of each."""
    found: list[Any] = []
    token = None
    while True:
        page = ask(token)
        found += page
        token = page.token
        if not token:
            return found


def artifact_location(uri: str, experiment: str) -> str | None:
    """Where a new experiment keeps its files: beside its database. None leaves it to the server."""
    database = database_of(uri)
    if database is None:
        return None
    folder = re.sub(r"[^\w.-]+", "_", experiment).strip(".") or "experiment"
    return (database.parent / "mlartifacts" / folder).as_uri()


def database_of(uri: str) -> Path | None:
    """The file of an SQLite store; None for all others."""
    prefix = "sqlite:///"
    path = uri.removeprefix(prefix).partition("?")[0]
    return Path(path).resolve() if uri.startswith(prefix) and path not in ("", ":memory:") else None


def _ask_health(uri: str) -> None:
    """Any HTTP answer will do: a proxy in front of the server may know no /health.

    Asked from a thread, because looking up a name keeps to no timeout.
    """
    found: list[Exception | None] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=HEALTH_SECONDS):
                found.append(None)
        except urllib.error.HTTPError:
            found.append(None)
        except (OSError, ValueError, HTTPException) as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(HEALTH_SECONDS + 0.5)
    error = found[0] if found else TimeoutError("timed out")
    if error is not None:
        raise unusable(uri, error) from error
