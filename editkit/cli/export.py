"""`editkit export`: a patch as a merged checkpoint, a LoRA adapter or a folder for the Hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import Command, read_recipe, talking
from editkit.cli.output import Output, size
from editkit.errors import OutputError, PatchError, UsageError

if TYPE_CHECKING:
    from editkit.events import Tell
    from editkit.export.exported import Exported
    from editkit.patch.file import Patch
    from editkit.recipe import Recipe

PLACE = click.Path(path_type=Path)


@dataclass(frozen=True)
class _Asked:
    """What the command line says."""

    merged: Path | None
    lora: Path | None
    hub: Path | None
    force: bool
    allow_rejected: bool
    digests: bool
    name: str
    base_name: str | None
    recipe: Recipe | None
    license: str | None

    @property
    def places(self) -> list[Path]:
        return [place for place in (self.merged, self.lora, self.hub) if place is not None]


def _forms(command: Command) -> Command:
    for name, text in (
        ("--hub", "Write a folder for the Hub: adapter, patch, tokenizer, model card, provenance."),
        ("--lora", "Write an adapter that PEFT and transformers load."),
        ("--merged", "Write a checkpoint with the patch in it, as any program loads it."),
    ):
        command = click.option(name, metavar="DIR", type=PLACE, help=text)(command)
    return command


@click.command()
@click.argument("patches", metavar="PATCH...", nargs=-1, type=PLACE)
@_forms
@click.option(
    "--base",
    metavar="MODEL",
    help="The patch's base: a folder, or a Hub name, which is downloaded. Without it the base is looked for "
    "in the Hub cache.",
)
@click.option("--force", is_flag=True, help="Replace what editkit wrote there before.")
@click.option("--allow-rejected", is_flag=True, help="Export an edit that did not meet its goals too.")
@click.option("--no-digests", is_flag=True, help="Leave SHA-256 of the large files out of editkit.json.")
@click.option(
    "--overlap",
    type=click.Choice(["first", "last", "sum"]),
    help="What holds where several patches change one neuron; refused otherwise.",
)
@click.option("--base-name", metavar="NAME", help="The base's name on the Hub, for --lora and --hub.")
@click.option("--recipe", metavar="RECIPE", type=PLACE, help="For the model card of --hub, words masked.")
@click.option("--license", metavar="LICENSE", help="For the model card of --hub, if not the base's.")
@talking
@click.pass_context
def export(
    context: click.Context,
    patches: tuple[Path, ...],
    merged: Path | None,
    lora: Path | None,
    hub: Path | None,
    base: str | None,
    force: bool,
    allow_rejected: bool,
    no_digests: bool,
    overlap: Any,
    base_name: str | None,
    recipe: Path | None,
    license: str | None,
) -> int:
    """Write PATCH as other tools' files.

    Several patches are written as one. Nothing is downloaded unless --base names it, the base is only read,
    and a folder is there whole or not at all.
    """
    if not patches:
        raise UsageError("which patch? Give a .editkit.safetensors file, as `editkit apply` writes it")
    if not (merged or lora or hub):
        raise UsageError("export as what? Give --merged DIR, --lora DIR or --hub DIR, or several of them")
    output = context.ensure_object(Output)
    name = patches[0].name.removesuffix(".safetensors").removesuffix(".editkit")
    asked = _Asked(
        merged,
        lora,
        hub,
        force,
        allow_rejected,
        not no_digests,
        name if len(patches) == 1 else "edit",
        base_name,
        None if recipe is None else read_recipe(recipe, ()),
        license,
    )
    with output.working() as tell:
        written = list(_exports(patches, asked, base, overlap, tell))
    if output.json:
        output.document({"status": "done", "exports": [_document(one) for one in written]})
        return 0
    for one in written:
        if output.quiet:
            click.echo(one.folder)
            continue
        click.echo(f"{one.folder}: {one.kind}, {one.n_files} files, {size(one.n_bytes)}")
        for note in one.notes:
            click.echo(f"  {note}")
    return 0


def _document(one: Exported) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "folder": str(one.folder),
        "files": one.n_files,
        "bytes": one.n_bytes,
        "notes": list(one.notes),
    }


def _exports(
    paths: tuple[Path, ...], asked: _Asked, base: str | None, overlap: Any, tell: Tell
) -> Iterator[Exported]:
    from editkit.checkpoint import Checkpoint
    from editkit.model.files import base_folder
    from editkit.patch.file import Patch

    _check_places(asked)
    patches = [Patch.load(path) for path in paths]
    for path, one in zip(paths, patches, strict=True):
        if one.provenance.accepted is False and not asked.allow_rejected:
            raise PatchError(
                f"{path}: the edit did not meet its goals (`editkit show` has the scores): --allow-rejected "
                "exports it all the same"
            )
    folder = base_folder(patches[0].base, base)
    patch = patches[0]
    if len(patches) > 1:
        from editkit.patch.algebra import merged

        patch = merged(patches, overlap=overlap or "refuse", checkpoint=Checkpoint.open(folder))
    yield from _written(patch, folder, asked, tell)


def _written(patch: Patch, folder: Path, asked: _Asked, tell: Tell) -> Iterator[Exported]:
    from editkit.checkpoint import Checkpoint

    shared: dict[str, Any] = {"replace": asked.force, "name": asked.name, "tell": tell}
    if asked.merged is not None:
        from editkit.export.merged import export_merged

        checkpoint = Checkpoint.open(folder)
        yield export_merged(patch, checkpoint, asked.merged, digests=asked.digests, **shared)
    if asked.lora is not None:
        from editkit.export.lora import export_lora

        yield export_lora(patch, folder, asked.lora, base_name=asked.base_name, **shared)
    if asked.hub is not None:
        from editkit.export.folder import export_hub

        yield export_hub(
            patch,
            folder,
            asked.hub,
            recipe=asked.recipe,
            base_name=asked.base_name,
            license=asked.license,
            allow_rejected=asked.allow_rejected,
            **shared,
        )


def _check_places(asked: _Asked) -> None:
    """Before the long work.

    Raises:
        OutputError: a place can't be written.
    """
    from editkit.atomic import vacant
    from editkit.patch.manifest import MANIFEST

    whole = [place.absolute() for place in asked.places]
    for place in whole:
        if whole.count(place) > 1 or any(place in other.parents for other in whole):
            raise OutputError(f"{place}: is asked for twice, or holds another place; name places apart")
        try:
            vacant(
                place, replace=MANIFEST if asked.force else None, hint="name another place, or use --force"
            )
        except OSError as error:
            raise OutputError(f"{place}: can't be written ({error.strerror})") from error
