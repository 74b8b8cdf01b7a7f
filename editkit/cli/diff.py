"""`editkit diff`: what tells two patches, or two checkpoints, apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output
from editkit.errors import UsageError

if TYPE_CHECKING:
    from editkit.cli.differing import Differing
    from editkit.events import Tell
    from editkit.patch.file import Patch

DIFFERENT = 3


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--md", "markdown", is_flag=True, help="Write Markdown.")
@talking
@click.pass_context
def diff(context: click.Context, first: str, second: str, markdown: bool) -> int:
    """Compare two patches or two checkpoints by neuron.

    Shows which neurons moved, and how far. A and B are patch files or folders with one patch in it; or
    checkpoints: folders or Hub names. Exits with 0 if they are equal and with 3 if they differ; 1 is a
    failure, as everywhere.
    """
    output = context.ensure_object(Output)
    if output.json and markdown:
        raise UsageError("--json or --md, one of both")
    patches = [_patch(name) for name in (first, second)]
    one, other = patches
    with output.working() as tell:
        if one is not None and other is not None:
            found = _patches(one, other)
        elif one is None and other is None:
            found = _checkpoints(first, second, tell)
        else:
            is_patch, is_none = (first, second) if one is not None else (second, first)
            raise UsageError(
                f"{is_patch} is a patch and {is_none} is none: compare two of a kind; `editkit extract` "
                "makes a patch of two checkpoints"
            )
    if output.json:
        output.document({"status": "done", "equal": found.equal, **found.document})
    elif output.quiet:
        click.echo("equal" if found.equal else "different")
    elif markdown:
        parts = [*found.lines, *(sheet.markdown() for sheet in found.sheets)]
        click.echo("\n\n".join(parts))
    else:
        from rich.text import Text

        output.show(
            *(Text(line, overflow="fold") for line in found.lines), *(sheet.table() for sheet in found.sheets)
        )
    return 0 if found.equal else DIFFERENT


def _patch(name: str) -> Patch | None:
    """The patch that a user means by a name; None where it is that of a checkpoint."""
    from editkit.patch.file import Patch
    from editkit.patch.format import SUFFIX
    from editkit.patch.manifest import MANIFEST, Manifest

    place = Path(name)
    if place.is_file() or name.endswith(SUFFIX):
        return Patch.load(place)
    if (place / "config.json").is_file() or not (place / MANIFEST).is_file():
        return None
    held = Manifest.read(place).patches
    if len(held) != 1:
        raise UsageError(f"{name}: {len(held)} patches are in it: name the file of one")
    return Patch.load(place / held[0][0])


def _patches(one: Patch, other: Patch) -> Differing:
    from editkit.cli.differing import of_patches
    from editkit.patch.difference import compared

    return of_patches(compared(one, other))


def _checkpoints(first: str, second: str, tell: Tell) -> Differing:
    from editkit.cli.differing import of_checkpoints
    from editkit.errors import ModelError
    from editkit.events import Noted
    from editkit.model.differences import Side, differences, matrices, moved_neurons

    sides = [Side.open(name) for name in (first, second)]
    one, other = (side.checkpoint for side in sides)
    found = differences(one, other, tell)
    where: dict[str, Any] = {}
    moved: tuple[Any, ...] = ()
    if found.changed:
        from editkit.model.outline import outline

        try:
            where = matrices(outline(sides[0].ref, processor=False), found.changed)
            moved = moved_neurons(one, other, where, tell)
        except ModelError as error:
            tell(Noted(f"which neurons moved can't be told: {error}", warning=True))
    return of_checkpoints(found, moved)
