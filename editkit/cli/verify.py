"""`editkit verify`: whether a patch or a folder is what it says it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, size
from editkit.errors import UsageError

if TYPE_CHECKING:
    from editkit.checkpoint import Checkpoint
    from editkit.export.verification import Verified

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("place", metavar="PATCH|DIR", type=click.Path(path_type=Path))
@click.option("--base", metavar="MODEL", help="What it was made on: a folder or a Hub name.")
@click.option("--digest", metavar="SHA256", help="What `verify` called it somewhere else.")
@click.option("--public-key", metavar="FILE", type=FILE, help="Of who signed the folder, PEM.")
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="A root that the signer's certificate must lead to, PEM. Repeatable.",
)
@talking
@click.pass_context
def verify(
    context: click.Context,
    place: Path,
    base: str | None,
    digest: str | None,
    public_key: Path | None,
    certificates: tuple[Path, ...],
) -> int:
    """Check every byte of a PATCH, or of a DIR that editkit wrote.

    Says what was looked at and what was not. Exits with 0 if all of it is right, with 1 and a sentence if a
    byte is not, or if nothing is known of a file.
    """
    from editkit.export.verification import verify as verified

    if public_key and certificates:
        raise UsageError("give a public key or certificates, one of both")
    output = context.ensure_object(Output)
    with output.working() as tell:
        found = verified(
            place,
            base=_base(place, base),
            digest=digest,
            public_key=public_key,
            certificates=certificates,
            tell=tell,
        )
    if found.wrong:
        click.echo(f"error: {found.sentence}", err=True)
    if output.json:
        output.document(_document(found))
    elif not found.wrong:
        click.echo(found.digest if output.quiet else _said(found))
    return 1 if found.wrong else 0


def _base(place: Path, given: str | None) -> Checkpoint | None:
    """The base that is named, of the commit that the patch names."""
    if given is None:
        return None
    from editkit.checkpoint import Checkpoint
    from editkit.model.files import base_folder
    from editkit.patch.file import Patch
    from editkit.patch.manifest import Manifest

    base = Manifest.read(place).base if place.is_dir() else Patch.load(place).base
    return Checkpoint.open(base_folder(base, given))


def _document(found: Verified) -> dict[str, Any]:
    failed = {"status": "failed", "error": found.sentence} if found.wrong else {"status": "done"}
    return {
        **failed,
        "place": str(found.place),
        "kind": found.kind,
        "digest": found.digest,
        "files": found.n_files,
        "bytes": found.n_bytes,
        "checked": list(found.checked),
        "unchecked": list(found.unchecked),
        "wrong": list(found.wrong),
    }


def _said(found: Verified) -> str:
    files = "" if found.kind == "patch" else f", {found.n_files} files"
    lines = [f"{found.place}: {found.kind}{files}, {size(found.n_bytes)}: right"]
    lines += [f"  checked      {what}" for what in found.checked]
    lines += [f"  not checked  {what}" for what in found.unchecked]
    return "\n".join([*lines, f"  SHA-256      {found.digest}"])
