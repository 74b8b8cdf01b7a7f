"""A folder for the Hub: adapter, patch, model card, provenance, and what prepares the base's inputs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from editkit.atomic import new_folder
from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError, OutputError, PatchError, UsageError
from editkit.events import Tell, nobody, stage
from editkit.export.attestation import PROVENANCE, attestation, to_json
from editkit.export.card import card
from editkit.export.exported import Exported, seal, size_of
from editkit.export.hidden import hidden, shown_recipe
from editkit.export.leaks import leaks_of
from editkit.export.origin import origin
from editkit.patch.file import Patch
from editkit.patch.format import SUFFIX
from editkit.patch.manifest import digest_of, replaceable
from editkit.patch.verify import verify
from editkit.patch.words import keyed_digest
from editkit.privacy.hidden import Hidden
from editkit.recipe import ModelRef, Recipe

# What turns texts and pictures into inputs: all that AutoTokenizer, AutoProcessor and pipelines read.
INPUTS: Final = (
    "tokenizer*.json",
    "*.model",
    "*.tiktoken",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*processor_config.json",
    "chat_template*",
    "additional_chat_templates/*.jinja",
)
SHOWN: Final = 5


def export_hub(
    patch: Patch,
    base: Path,
    place: Path,
    *,
    name: str = "edit",
    recipe: Recipe | None = None,
    base_name: str | None = None,
    license: str | None = None,
    allow_rejected: bool = False,
    replace: bool = False,
    tell: Tell = nobody,
) -> Exported:
    """Write a folder that can be pushed to the Hub as it is.

    Where PEFT can't hold the change, the folder has the patch and no adapter; a note says so.

    Args:
        base: folder of the checkpoint the patch was made on.
        name: of the patch's file.
        recipe: what the patch was made from; the card shows it with its words masked.
        base_name: the base's name on the Hub, where the patch knows it only by its digest.
        license: instead of the one the base's card names.
        allow_rejected: also an edit that was not accepted.
        replace: an older export there goes.

    Raises:
        PatchError: the edit was rejected, another base, or a word that must not be published would be.
        ModelError: the base can't be read.
        UsageError: `base_name` is no name on the Hub.
        OutputError: the place is taken or can't be written.
    """
    if patch.provenance.accepted is False and not allow_rejected:
        raise PatchError("the edit was rejected: to export it all the same, add --allow-rejected")
    with stage(tell, "check the base"):
        verify(patch, Checkpoint.open(base))
    public = _public(base_name)
    secret = hidden(patch, recipe)
    notes: list[str] = []
    if recipe is not None and not _made_from(patch, recipe, secret):
        recipe = None  # its words were looked for all the same: they are in `secret`
        notes.append(
            "the patch was made from another recipe, or from this one with other settings or another key: "
            "the card does not show it"
        )
    if secret.blind:
        notes.append(
            "no word could be looked for: the patch hides them, and no recipe and no key here says which "
            "they are"
        )
    patch_file, about = f"{name}{SUFFIX}", origin(base)
    with new_folder(place, replace=replaceable(place, replace)) as folder:
        copied = _copied(base, folder, tell)
        adapted, said = _adapter(patch, base, folder, base_name)
        text = card(
            patch,
            about,
            secret,
            form="adapter" if adapted else "patch",
            patch_file=patch_file,
            base_name=public,
            license=license,
            recipe=recipe,
            notes=said,
        )
        (folder / "README.md").write_text(text, encoding="utf-8")
        known: dict[str, str | None] = {**copied}
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name not in known:
                known[path.name] = digest_of(path)
        files = {file: digest for file, digest in known.items() if digest} | {patch_file: patch.digest}
        shown = None if recipe is None else shown_recipe(recipe, patch, secret)
        statement = to_json(attestation(patch, files, copied, public, shown))
        (folder / PROVENANCE).write_text(statement, encoding="utf-8")
        seal(folder, "hub", patch, patch_file, known, tell)
        _nothing_told(folder, patch, secret, base, tell)
        count, size = size_of(folder)
    if "license" not in about.front and license is None:
        notes.append("the base's card names no licence: give one with --license, or add it to README.md")
    if not adapted:
        notes.append("without an adapter, only editkit loads it")
    return Exported(place, "hub", count, size, (*said, *notes))


def _public(base_name: str | None) -> str | None:
    """A base's name on the Hub, without its revision."""
    if base_name is None:
        return None
    ref = ModelRef.model_validate(base_name)
    if ref.is_path or ref.id.count("/") != 1:
        raise UsageError(
            f"{base_name}: no name on the Hub (org/name), and a folder's path must not be published"
        )
    return ref.id


def _copied(base: Path, folder: Path, tell: Tell) -> dict[str, str]:
    """What prepares inputs, byte for byte: name -> SHA-256."""
    paths = sorted({path for pattern in INPUTS for path in base.glob(pattern) if path.is_file()})
    copied = {}
    with stage(tell, "copy tokenizer and processor", len(paths)) as advance:
        for path in paths:
            name = path.relative_to(base).as_posix()
            (folder / name).parent.mkdir(exist_ok=True)
            try:
                shutil.copyfile(path, folder / name)
            except OSError as error:
                raise OutputError(f"{path}: can't be copied ({error.strerror})") from error
            copied[name] = digest_of(folder / name)
            advance()
    return copied


def _adapter(patch: Patch, base: Path, folder: Path, base_name: str | None) -> tuple[bool, tuple[str, ...]]:
    """Whether there is an adapter now, and what is to be said of it."""
    from editkit.export.lora import write_adapter

    try:
        return True, write_adapter(patch, base, folder, base_name)
    except (PatchError, ModelError) as error:
        why = str(error).replace(str(base), "the base")  # the card says it too
        return False, (f"{why}; so there is no adapter here, only the patch",)


def _made_from(patch: Patch, recipe: Recipe, secret: Hidden) -> bool:
    how = recipe.track.privacy.published
    return keyed_digest(recipe.digest, how, secret.key) == patch.provenance.recipe_digest


def _nothing_told(folder: Path, patch: Patch, secret: Hidden, base: Path, tell: Tell) -> None:
    found = leaks_of(folder, patch, secret, base=base, tell=tell)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise PatchError(
            f"words that must not be published would be: {'; '.join(map(str, found[:SHOWN]))}{more}"
        )
