"""`editkit ui`: MLflow's own pages on the runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from editkit.cli.options import talking
from editkit.errors import OutputError, TrackError, UsageError

DEFAULT_STORE: Final = "sqlite:///mlflow.db"
# Nothing is reported to anybody, and jobs we never start need no server of their own.
SETTINGS: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def store(uri: str | None) -> str:
    """Where the runs are: what is asked for, what the environment names, or the file in this folder."""
    return (
        uri or os.environ.get("EDITKIT_TRACK__URI") or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE
    )


@click.command()
@click.option("--uri", metavar="URI", help=f"The store of the runs.  [default: {DEFAULT_STORE}]")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@talking
def ui(uri: str | None, host: str, port: int) -> int:
    """Open the MLflow pages of the runs; Ctrl-C ends them."""
    place = store(uri)
    if place.startswith(("http://", "https://")):
        raise UsageError(f"{place} is a server already: open it in a browser")
    if place.startswith("sqlite:///") and not Path(place.removeprefix("sqlite:///")).is_file():
        raise TrackError(f"{place}: no runs yet; run `editkit apply` first, or name their store with --uri")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OutputError(
                f"{host}:{port} can't be used ({error.strerror}): try another --port"
            ) from error
    click.echo(f"http://{host}:{port} (it takes some seconds; Ctrl-C ends it)", err=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", place]
    return subprocess.call([*command, "--host", host, "--port", str(port)], env={**os.environ, **SETTINGS})
