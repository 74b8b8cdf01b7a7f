"""What a recipe's `export` asks for: where each form goes, and writing it once the edit is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from editkit.atomic import vacant
from editkit.errors import EditkitError, OutputError, Problem
from editkit.events import Noted, Tell
from editkit.patch.format import SUFFIX
from editkit.patch.manifest import MANIFEST, Kind
from editkit.recipe import Recipe

if TYPE_CHECKING:
    from editkit.export.exported import Exported
    from editkit.patch.file import Patch

SAID: Final[Mapping[Kind, str]] = {
    "merged": "the whole edited checkpoint",
    "lora": "a LoRA adapter",
    "hub": "a folder for the Hub",
}

# Where a recipe has files written. It may be a stranger's.
PLACES: Final = (*(f"export.{kind}" for kind in SAID), "probe.twins.cache")


def destinations(recipe: Recipe, patch_path: Path) -> dict[Kind, Path]:
    """Form -> folder; where the recipe names none, beside the patch and called after it."""
    stem = patch_path.name.removesuffix(SUFFIX)
    return {
        kind: recipe.resolve(asked) if isinstance(asked, str) else patch_path.with_name(f"{stem}-{kind}")
        for kind in SAID
        if (asked := getattr(recipe.export, kind))
    }


def written(recipe: Recipe, patch_path: Path) -> tuple[str, ...]:
    """What `apply` writes, a line each."""
    places = destinations(recipe, patch_path).items()
    return (
        str(patch_path),
        *(f"{place}: {SAID[kind]}, if the edit is accepted" for kind, place in places),
        f"one run in the MLflow experiment {recipe.track.experiment!r}",
    )


def shippable(recipe: Recipe, patch_path: Path, force: bool) -> None:
    """Look, before the long work, whether everything can go where it shall.

    Raises:
        RecipeError: two forms would go into one folder, or the recipe's text names one outside of its own.
        OutputError: a place is taken.
    """
    outside = "outside of the recipe's folder: give it with --set, or use editkit export"
    strays = [Problem(key, outside) for key in PLACES if recipe.strays(key)]
    if strays:
        raise recipe.refusal(strays)
    places = destinations(recipe, patch_path)
    whose: dict[Path, Kind] = {}
    for kind, place in places.items():
        other = whose.setdefault(place.absolute(), kind)
        if other != kind:
            raise recipe.refusal([Problem(f"export.{kind}", f"the same folder as export.{other}")])
    for place in places.values():
        vacant(place, replace=MANIFEST if force else None, hint="name another place, or use --force")


def shipped(
    recipe: Recipe,
    patch: Patch,
    patch_path: Path,
    base: Path,
    *,
    force: bool,
    tell: Tell,
    keep: Callable[[str, str], None],
) -> tuple[Exported, ...]:
    """Write what is asked for, if the edit was accepted.

    Args:
        base: the folder of the checkpoint that was edited.
        force: older exports at these places go.
        keep: given a text and a file name for the run.

    Raises:
        OutputError: something can't be written; the patch is there all the same.
    """
    places = destinations(recipe, patch_path)
    if places and not patch.provenance.accepted:
        options = " ".join(f"--{kind} {place}" for kind, place in places.items())
        asked = f"editkit export {patch_path} {options} --allow-rejected"
        tell(
            Noted(
                f"not exported, because the edit was rejected; to do it all the same: {asked}", warning=True
            )
        )
        return ()
    try:
        made = tuple(_export(kind, recipe, patch, base, place, force, tell) for kind, place in places.items())
    except EditkitError as error:
        raise OutputError(f"{patch_path} is written, but not everything was exported: {error}") from error
    for one in made:
        for note in one.notes:
            tell(Noted(f"{one.folder}: {note}"))
    if made:
        keep(json.dumps(listed(made), indent=1), "exports.json")
    return made


def listed(exports: tuple[Exported, ...]) -> dict[str, dict[str, object]]:
    """Exports as plain data, by their form."""
    return {
        one.kind: {
            "folder": str(one.folder),
            "files": one.n_files,
            "bytes": one.n_bytes,
            "notes": list(one.notes),
        }
        for one in exports
    }


def _export(
    kind: Kind, recipe: Recipe, patch: Patch, base: Path, place: Path, force: bool, tell: Tell
) -> Exported:
    from editkit.checkpoint import Checkpoint
    from editkit.export.folder import export_hub
    from editkit.export.lora import export_lora
    from editkit.export.merged import export_merged

    name = recipe.name
    if kind == "merged":
        return export_merged(patch, Checkpoint.open(base), place, replace=force, name=name, tell=tell)
    if kind == "lora":
        return export_lora(patch, base, place, replace=force, name=name, tell=tell)
    return export_hub(patch, base, place, name=name, recipe=recipe, replace=force, tell=tell)
