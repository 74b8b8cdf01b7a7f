"""`editkit sign`: say with a key that a folder is yours, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import click

from editkit.cli.options import talking
from editkit.cli.output import Output

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--private-key", required=True, metavar="FILE", type=FILE, help="PEM, on P-256, P-384 or P-521."
)
@click.option("--password-env", metavar="VAR", help="The environment variable with the key's password.")
@click.option("--certificate", metavar="FILE", type=FILE, help="The key's certificate, PEM.")
@click.option(
    "--chain",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="A certificate between it and a root that others trust. Repeatable.",
)
@talking
@click.pass_context
def sign(
    context: click.Context,
    folder: Path,
    private_key: Path,
    password_env: str | None,
    certificate: Path | None,
    chain: tuple[Path, ...],
) -> int:
    """Sign FOLDER, which editkit wrote, with a key of yours.

    The signature is model.sig in it, in the format of OpenSSF model-signing; `editkit verify --public-key`
    and `model_signing verify` check it. Nothing is sent anywhere.
    """
    from editkit.errors import PatchError, UsageError
    from editkit.export.checking import check_folder
    from editkit.export.signing import sign as signed
    from editkit.patch.manifest import Manifest

    if password_env is not None and password_env not in os.environ:
        raise UsageError(f"{password_env}: no such environment variable")
    if chain and certificate is None:
        raise UsageError("--chain goes with --certificate")
    Manifest.read(folder)
    password = None if password_env is None else os.environ[password_env]
    output = context.ensure_object(Output)
    with output.working() as tell:
        checked = check_folder(folder, tell=tell)
        if checked.wrong:
            raise PatchError(f"{folder}: {checked.wrong[0]}: nothing was signed")
        place = signed(
            folder, private_key=private_key, password=password, certificate=certificate, chain=chain
        )
    if output.json:
        output.document({"status": "done", "folder": str(folder), "signature": str(place)})
    elif output.quiet:
        click.echo(place)
    else:
        output.show(f"signed: {place}")
    return 0
