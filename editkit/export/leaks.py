"""Would a folder publish words that it must not? Asked of the folder's own patches, or of a recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from editkit.errors import PatchError
from editkit.events import Tell, nobody
from editkit.export.attestation import PROVENANCE, attestation, base_files, to_json
from editkit.export.card import card
from editkit.export.hidden import hidden
from editkit.export.origin import TASKS, Origin
from editkit.export.scan import OWN, Found, scan
from editkit.patch.document import to_json as description
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, Manifest
from editkit.privacy.hidden import Hidden
from editkit.recipe import Recipe

NAMES: Final = (
    "model.safetensors tokenizer.json adapter_model.safetensors config.json model.sig special tokens map"
)
ADAPTER: Final = "LORA CAUSAL_LM base_model_class parent_library transformers models Conv1D"


def leaks(
    folder: Path, *, recipe: Recipe | None = None, base: Path | None = None, tell: Tell = nobody
) -> tuple[Found, ...]:
    """Every word in a folder that editkit wrote which its patches, or a recipe, want hidden.

    Args:
        recipe: has the words themselves; without it they are known by their hashes, to who made them.
        base: the base's folder: files that it has too are exempt.

    Raises:
        PatchError: no folder of editkit's, or nothing says what to look for.
        OutputError: a file can't be read.
    """
    found: dict[Found, None] = {}
    for name, _ in Manifest.read(folder).patches:
        patch = Patch.load(folder / name)
        secret = hidden(patch, recipe)
        if secret.blind:
            raise PatchError(
                f"{folder}: its words are hidden, and nothing here says what they are: give the recipe it "
                "was made from with --recipe"
            )
        found |= dict.fromkeys(leaks_of(folder, patch, secret, base=base, tell=tell))
    return tuple(found)


def leaks_of(
    folder: Path, patch: Patch, secret: Hidden, *, base: Path | None = None, tell: Tell = nobody
) -> tuple[Found, ...]:
    """As `leaks`, of one patch, where it is known what it hides."""
    if secret.how == "plain":
        return ()
    return scan(
        folder,
        words=secret.words,
        hashes=secret.hashes,
        key=secret.key,
        base=base,
        known=base_files(_json(folder / PROVENANCE)),
        usual=usual(folder, patch),
        tell=tell,
    )


def usual(folder: Path, patch: Patch) -> str:
    """What editkit's own files say whatever was edited: a word in it gives nothing away where it stands."""
    bare = replace(patch, provenance=replace(patch.provenance, edits=()))
    cards = [
        card(bare, Origin(task, loader), Hidden(how), form=form, patch_file="")
        for task, loader in TASKS.items()
        for form in ("adapter", "patch", "merged")
        for how in ("hash", "omit")
    ]
    adapter = _json(folder / "adapter_config.json")
    keys = [*(adapter if isinstance(adapter, Mapping) else ()), *_keys(Recipe.model_json_schema())]
    statement = to_json(attestation(bare, {}, {}))
    own = [*OWN, MANIFEST, NAMES, ADAPTER, "files kind merged lora hub patches sha256 size version"]
    return "\n".join([*cards, statement, description(bare), *own, *map(str, keys)])


def _keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from _keys(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _keys(inner)


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
