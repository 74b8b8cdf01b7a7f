"""`editkit convert`: published parts of a model to a checkpoint folder that editkit and transformers open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import Command, talking
from editkit.cli.output import Output

if TYPE_CHECKING:
    from editkit.convert.assembly import Parts

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group(no_args_is_help=False)
def convert() -> None:
    """Make a checkpoint folder from published parts.

    For models that nobody publishes as one folder that transformers opens. Pickles among the parts are read
    with weights_only=True: no code in them is run. The folder is written whole or not at all.
    """


def _writing(*dtypes_of: str) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        dtype = click.option(
            "--dtype",
            type=click.Choice(["float16", "bfloat16", "float32"]),
            default="float16",
            show_default=True,
            help="Of the weights written" + "".join(f", but for {one}" for one in dtypes_of) + ".",
        )
        place = click.option(
            "-o",
            "--output",
            "place",
            required=True,
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="The folder to write; it must not be there yet.",
        )
        return place(dtype(talking(command)))

    return add


@convert.command()
@click.option(
    "--vicuna",
    required=True,
    metavar="DIR",
    type=FOLDER,
    help="Vicuna v0, 7B or 13B, not the delta: Vision-CAIR/vicuna-7b or Vision-CAIR/vicuna on the Hub.",
)
@click.option(
    "--projection",
    required=True,
    metavar="FILE",
    type=FILE,
    help="MiniGPT-4's checkpoint for that Vicuna, such as pretrained_minigpt4_7b.pth, from its README.",
)
@click.option(
    "--blip2",
    metavar="DIR",
    type=FOLDER,
    help="Vision tower and Q-Former: Salesforce/blip2-flan-t5-xxl on the Hub, 49 GB with T5. Other BLIP-2s "
    "have another Q-Former.",
)
@click.option(
    "--vision",
    metavar="FILE",
    type=FILE,
    help="Instead of --blip2: eva_vit_g.pth of LAVIS, 2 GB, from the address in its eva_vit.py.",
)
@click.option(
    "--qformer",
    metavar="FILE",
    type=FILE,
    help="With --vision: blip2_pretrained_flant5xxl.pth of LAVIS, 0.4 GB, from the same place.",
)
@_writing("the Q-Former, which transformers keeps in float32")
@click.pass_context
def minigpt4(
    context: click.Context,
    vicuna: Path,
    projection: Path,
    blip2: Path | None,
    vision: Path | None,
    qformer: Path | None,
    dtype: str,
    place: Path,
) -> int:
    """Put MiniGPT-4 together, as a BLIP-2 with a Llama.

    Takes 16 GB of disk for 7B and 29 GB for 13B in float16, and 2 GB of memory.
    """
    from editkit.convert.minigpt4 import MiniGPT4

    return _convert(context, MiniGPT4(vicuna, projection, blip2, vision, qformer, dtype), place)


@convert.command("mplug-owl2")
@click.argument("released", metavar="RELEASED", type=FOLDER)
@_writing()
@click.pass_context
def mplug_owl2(context: click.Context, released: Path, dtype: str, place: Path) -> int:
    """Make mPLUG-Owl2 a folder that transformers 5 opens.

    RELEASED is a download of MAGAer13/mplug-owl2-llama2-7b. transformers has no class for it, so the folder
    brings its own code: open it with trust_remote_code. Takes 17 GB of disk in float16, and 2 GB of memory.
    """
    from editkit.convert.mplug_owl2 import MPLUGOwl2

    return _convert(context, MPLUGOwl2(released, dtype), place)


def _convert(context: click.Context, parts: Parts, place: Path) -> int:
    from editkit.convert.assembly import convert as put_together

    output = context.ensure_object(Output)
    with output.working() as tell:
        made = put_together(parts, place, tell)
    document: dict[str, Any] = {
        "status": "done",
        "folder": str(made.folder),
        "tensors": made.n_tensors,
        "bytes": made.n_bytes,
    }
    if output.json:
        output.document(document)
    elif output.quiet:
        click.echo(made.folder)
    else:
        click.echo(f"{made.folder}: {made.n_tensors} tensors, {made.n_bytes / 1e9:.1f} GB")
    return 0
