"""`editkit models`: which models can be edited, and what one of them looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from editkit.cli.options import talking
from editkit.cli.output import Output, size

if TYPE_CHECKING:
    from editkit.model.facts import Facts
    from editkit.recipe import ModelRef


@click.command()
@click.argument("model", metavar="[PATH_OR_ID]", required=False)
@click.option("--trust-remote-code", is_flag=True, help="Run code that comes with the model's own files.")
@talking
@click.pass_context
def models(context: click.Context, model: str | None, trust_remote_code: bool) -> int:
    """List the families of models that are tested, or show one model.

    Of PATH_OR_ID (a folder, org/name or org/name@revision) only the config and the headers of its files
    are read: where it keeps W_out, its shapes, what makes its words, whether it is known or guessed.
    """
    output = context.ensure_object(Output)
    if model is None:
        _families(output)
        return 0
    from editkit.recipe import ModelRef

    ref = ModelRef.model_validate(model).model_copy(update={"trust_remote_code": trust_remote_code})
    with output.working():
        from editkit.model.facts import facts
        from editkit.model.outline import outline

        found = outline(ref)
        told = facts(found)
    if output.json:
        revision = {"revision": found.editable.revision}
        output.document({"status": "done", "model": ref.id, **revision, **_document(told)})
    elif output.quiet:
        click.echo("\n".join(dict.fromkeys(one.path for one in told.matrices)))
    else:
        _show(output, ref, told)
    return 0


def _families(output: Output) -> None:
    from editkit.model.families import known

    table = known()
    if output.json:
        output.document({"status": "done", **asdict(table)})
        return
    if output.quiet:
        click.echo("\n".join(family.name for family in table.families))
        return
    for family in table.families:
        places = ", ".join(place.path + (" (experts)" if place.experts else "") for place in family.places)
        click.echo(f"{family.name:<20} {family.checked:<44} {places}")
    click.echo(
        f"\n{len(table.families)} families. Of each a tiny checkpoint of random weights, with the classes, "
        "names and processor of the real one named beside it, goes through:"
    )
    for check in table.checks:
        click.echo(f"  {check}")
    click.echo("`editkit models PATH_OR_ID` shows one model; others are tried by their shapes, and say so.")


def _document(told: Facts) -> dict[str, Any]:
    document = asdict(told)
    document["known"] = told.guess is None
    if told.guess is not None:
        document["confirm"] = confirm(told.guess)
    return document


def confirm(guess: str) -> str:
    """The line of a recipe that says that a guess is right."""
    return f'model.w_out: "{guess}"'


def _show(output: Output, ref: ModelRef, told: Facts) -> None:
    from rich.text import Text

    output.show(*(Text(line, overflow="fold") for line in _lines(ref, told)))


def _lines(ref: ModelRef, told: Facts) -> Iterator[str]:
    from editkit.cli.matrices import matrices_lines

    head = told.head
    yield from matrices_lines("W_out", told.matrices)
    yield f"class         {told.kind}" + (", an encoder reads the prompt" if told.encoder_decoder else "")
    stored = size(told.stored_bytes)
    yield f"weights       {told.parameters:,} parameters, {told.dtype}, {stored} in the files"
    more = [" x ".join(map(str, head.shape)), "tied to the embeddings" if head.tied else "not tied"]
    more += ["with a bias"] if head.bias else []
    more += [f"logits times {head.scale:.4g}"] if head.scale != 1.0 else []
    more += [f"logits bent to {head.cap:.4g}"] if head.cap is not None else []
    yield f"unembedding   {head.name}, {', '.join(more)}"
    tokens = f", in a prompt {' '.join(told.image_tokens)}" if told.image_tokens else ""
    yield f"pictures      {'yes' + tokens if told.images else 'no'}"
    yield f"chat template {'yes' if told.chat_template else 'no'}"
    yield f"context       {'no bound' if told.context is None else f'{told.context:,} tokens'}"
    if ref.trust_remote_code:
        yield "code          of the model's own files was run: a recipe needs model.trust_remote_code: true"
    if told.guess is None:
        yield "place         known"
    else:
        yield "place         guessed by its shapes; if it is right, put this into the recipe:"
        yield confirm(told.guess)
