"""`editkit env`: what is installed here, for bug reports."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.cli.ui import store

PACKAGES: Final = (
    "editkit", "torch", "transformers", "safetensors", "peft", "accelerate", "mlflow", "numpy", "pillow",
    "pydantic", "click", "rich",
)  # fmt: skip


@click.command()
@talking
@click.pass_context
def env(context: click.Context) -> int:
    """Print versions, threads, device and the store of the runs."""
    import torch

    found = {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}
    found["platform"] = f"{platform.system()} {platform.machine()}"
    found["threads"] = f"{torch.get_num_threads()} of {os.cpu_count()}"
    found["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    found["store"] = store(None)
    output = context.ensure_object(Output)
    if output.json:
        output.document({"status": "done", **found})
    else:
        for name, value in found.items():
            click.echo(f"{name:<13} {value}")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
