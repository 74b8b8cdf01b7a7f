"""Runtime names -> names in the checkpoint's files, which often differ."""

from __future__ import annotations

from collections.abc import Collection

from editkit.errors import ModelError
from editkit.model.editable import Editable


def file_names(editable: Editable, stored: Collection[str]) -> dict[int, str]:
    """Layer -> the name of its W_out tensor among the names `stored` in the checkpoint.

    transformers itself knows how it renamed on loading; an older file that lacks a prefix is found by the
    longest common end of its name.

    Raises:
        ModelError: a W_out that no tensor of the files can be told to be.
    """
    from transformers.core_model_loading import revert_weight_conversion

    found = {}
    for place in editable.w_outs:
        runtime = f"{place.name}.weight"
        reverted = revert_weight_conversion(editable.model, {runtime: place.module.get_parameter("weight")})
        name = next((name for name in (*reverted, runtime) if name in stored), None) or _by_end(
            runtime, stored
        )
        if name is None:
            raise ModelError(f"{editable.name}: no tensor of the checkpoint's files is {runtime}")
        found[place.layer] = name
    return found


def _by_end(runtime: str, stored: Collection[str]) -> str | None:
    parts = runtime.split(".")
    for first in range(1, len(parts) - 3):
        end = ".".join(parts[first:])
        alike = [name for name in stored if name == end or name.endswith(f".{end}")]
        if len(alike) == 1:
            return alike[0]
    return None
