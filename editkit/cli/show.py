"""`editkit show`: what a patch changes, where it came from, and what it did; or what a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, shown, size

if TYPE_CHECKING:
    from editkit.patch.manifest import Manifest


@click.command()
@click.argument("place", metavar="PATCH|DIR", type=click.Path(path_type=Path))
@talking
@click.pass_context
def show(context: click.Context, place: Path) -> int:
    """Show what PATCH changes and how it scored.

    Also the model it is for, and how it was made. Of a DIR that editkit wrote: what it is, and the patches in
    it.
    """
    output = context.ensure_object(Output)
    if place.is_dir():
        _folder(output, place)
        return 0
    from editkit.cli.portrait import document, renderables
    from editkit.patch.file import Patch

    told = document(Patch.load(place))
    if output.json:
        output.document({"status": "done", "patch": str(place), **told})
    else:
        output.show(*renderables(shown(told)))
    return 0


def _folder(output: Output, place: Path) -> None:
    from rich.text import Text

    from editkit.cli.portrait import base_line, document, renderables
    from editkit.patch.file import Patch
    from editkit.patch.manifest import Manifest

    manifest = Manifest.read(place)
    held = [(name, document(Patch.load(place / name))) for name, _ in manifest.patches]
    about = _about(place, manifest)
    if output.json:
        patches = [{"file": name, **told} for name, told in held]
        output.document({"status": "done", **about, "patches": patches})
        return
    files = f"{about['files']} files, {size(about['bytes'])}"
    lines = [f"folder   {place}: {manifest.kind}, {files}", base_line(shown(about["base"]))]
    output.show(*(Text(line, overflow="fold") for line in lines))
    for at, (name, told) in enumerate(held, 1):
        output.show(Text(f"\npatch {at} of {len(held)}, {name}", overflow="fold"), *renderables(shown(told)))


def _about(place: Path, manifest: Manifest) -> dict[str, Any]:
    """What `editkit.json` says; `editkit verify` compares it with the files."""
    return {
        "folder": str(place),
        "kind": manifest.kind,
        "base": vars(manifest.base),
        "files": len(manifest.files) + len(manifest.patches),
        "bytes": sum(file.size for file in manifest.files.values())
        + sum((place / name).stat().st_size for name, _ in manifest.patches),
    }
