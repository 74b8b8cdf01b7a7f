"""A patch as a LoRA adapter that adds exactly its change.

Changing k neurons is a change of rank k: `lora_A` picks the neurons (one-hot rows), `lora_B` holds what is
added to each, and with alpha = r nothing is scaled. Nothing is approximated; `docs/lora.md` has the layout.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from editkit.atomic import new_folder
from editkit.events import Tell, nobody, stage
from editkit.export.exported import Exported, seal, size_of
from editkit.export.factors import Factors, Missed, factors, file_pieces
from editkit.export.targets import Adapted, adapted
from editkit.model.files import EMBEDDED
from editkit.patch.file import Patch
from editkit.patch.format import SUFFIX, Base
from editkit.patch.manifest import replaceable
from editkit.recipe import ModelRef

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"


def export_lora(
    patch: Patch,
    base: Path,
    place: Path,
    *,
    base_name: str | None = None,
    replace: bool = False,
    name: str = "edit",
    tell: Tell = nobody,
) -> Exported:
    """Write a folder that PEFT and transformers load: the adapter, the patch, and what both were made from.

    Args:
        base: the folder of the checkpoint the patch was made on; of it only `config.json` is read.
        base_name: see `write_adapter`.
        replace: whether a folder that editkit wrote before may go.
        name: of the patch in the folder, without its ending.

    Raises:
        ModelError, PatchError: see `write_adapter`.
        OutputError: the place can't be written.
    """
    with new_folder(place, replace=replaceable(place, replace)) as folder:
        with stage(tell, "write the adapter"):
            notes = write_adapter(patch, base, folder, base_name)
        seal(folder, "lora", patch, f"{name}{SUFFIX}", tell=tell)
        n_files, n_bytes = size_of(folder)
    return Exported(place, "lora", n_files, n_bytes, notes)


def write_adapter(patch: Patch, base: Path, folder: Path, base_name: str | None = None) -> tuple[str, ...]:
    """Write `adapter_config.json` and `adapter_model.safetensors` into a folder that is there.

    Args:
        base: a folder with the base's `config.json`.
        base_name: what the adapter calls its base: a Hub name, `org/name@revision`, or a folder; without it
            the patch's own, where that is a Hub name.

    Returns:
        What a user should know of the adapter, a sentence each.

    Raises:
        ModelError: the base's config can't be read, or makes no model.
        PatchError: PEFT can't hold the change; or the patch is of another model.
        OSError: the files can't be written.
    """
    found = adapted(patch, base)
    made, missed = factors(found.targets)
    named, revision = _base(base_name, patch.base)
    config = {**_config(found, made), "base_model_name_or_path": named, "revision": revision}
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    with (folder / WEIGHTS).open("wb") as stream:
        for piece in file_pieces(made):
            stream.write(piece)
    return _notes(named, missed)


def _base(given: str | None, known: Base) -> tuple[str | None, str | None]:
    """What the base is called, and its revision."""
    if given is None:
        private = known.id.startswith("sha256:") or known.id in EMBEDDED
        return (None, None) if private else (known.id, known.revision)
    if Path(given).expanduser().is_dir():
        return given, None
    ref = ModelRef.model_validate(given)
    return ref.id, ref.revision or (known.revision if ref.id == known.id else None)


def _config(found: Adapted, made: Sequence[Factors]) -> dict[str, Any]:
    """Everything that PEFT is told, but the base."""
    ranks = {one.target.name: one.rank for one in made if not one.target.parameter}
    shared = max((one.rank for one in made if one.target.parameter), default=max(ranks.values(), default=1))
    return {
        "peft_type": "LORA",
        "task_type": found.task,
        "auto_mapping": found.mapping,
        "inference_mode": True,
        "r": shared,
        "lora_alpha": shared,
        # Either without the other is silently wrong.
        "rank_pattern": ranks,
        "alpha_pattern": ranks,
        # Where it is left out, PEFT takes what is usual for the class.
        "target_modules": sorted(ranks),
        "target_parameters": sorted(one.target.name for one in made if one.target.parameter) or None,
        "fan_in_fan_out": any(one.target.turned for one in made),
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "init_lora_weights": True,
        "modules_to_save": None,
    }


def _notes(named: str | None, missed: Missed) -> tuple[str, ...]:
    notes = []
    if named is None:
        notes.append(
            "the adapter names no base, since the patch knows no public name: load the base, and hand it "
            "to PeftModel.from_pretrained, or give a name (--base-name)"
        )
    if missed.count:
        notes.append(
            f"{missed.count:,} of {missed.total:,} values differ from the patch once merged, by "
            f"{missed.largest:.1e} at most ({missed.module}): {missed.why}"
        )
    return tuple(notes)
