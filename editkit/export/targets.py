"""What PEFT is told to change for a patch: modules of the running model, or parameters where there is none.

A W_out that is a module of its own is named in `target_modules`. Fused experts are one parameter, which is
named in `target_parameters`. PEFT reads a module's name `down_proj` in a model with experts as one written
for transformers 4, and would change all experts in its place: there the weight is named as a parameter too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from editkit.errors import ModelError, PatchError
from editkit.patch.file import Patch
from editkit.patch.format import Entry

# PEFT reads the names of modules as regular expressions.
PLAIN: Final = re.compile(r"\w+(\.\w+)*", re.ASCII)
TASKS: Final = {"AutoModelForCausalLM": "CAUSAL_LM", "AutoModelForSeq2SeqLM": "SEQ_2_SEQ_LM"}


@dataclass(frozen=True)
class Target:
    """One matrix, or the fused matrices of a layer's experts, with the entries that change it.

    Attributes:
        name: what PEFT is told.
        module: whose factors they become.
        experts: how many the parameter holds; 1 for a matrix.
        parameter: whether PEFT takes it as a parameter, and rounds the change to the weight's dtype.
        turned: whether the running model keeps it as `[d_mlp, d_model]` (`Conv1D`).
    """

    name: str
    module: str
    experts: int
    parameter: bool
    turned: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Adapted:
    """A model's class as PEFT names it, and what changes in it; `mapping` where PEFT knows no task for it."""

    task: str | None
    mapping: dict[str, str] | None
    targets: tuple[Target, ...]


def adapted(patch: Patch, base: Path) -> Adapted:
    """Look the patch's modules up in the model's class, laid out without weights.

    Args:
        base: a folder with the base's `config.json`.

    Raises:
        ModelError: the base's config can't be read, or makes no model.
        PatchError: PEFT can't hold the change; or the patch is of another model.
    """
    if not patch.entries:
        raise PatchError("the patch changes nothing, so there is no adapter to write")
    groups = _by_module(patch)
    own = _own_code(base)
    if own is not None:
        return Adapted(_task(own), None, tuple(_by_files(name, entries) for name, entries in groups))
    model, auto = _laid_out(base)
    kind = type(model)
    mapping = {"base_model_class": kind.__name__, "parent_library": kind.__module__}
    task = TASKS.get(auto)
    found = tuple(_by_model(model, name, entries) for name, entries in groups)
    unambiguous(model, found)
    if len({target.turned for target in found}) > 1:
        raise PatchError(
            f"{found[0].module} and others are stored in two ways, which one LoRA adapter can't say: use "
            "--merged"
        )
    return Adapted(task, None if task else mapping, found)


def _by_module(patch: Patch) -> list[tuple[str, tuple[Entry, ...]]]:
    """Entries of one module stand together: of one layer, and of several only where they are experts."""
    found = [(name, tuple(entries)) for name, entries in groupby(patch.entries, lambda entry: entry.module)]
    for name, entries in found:
        if len({entry.layer for entry in entries}) > 1 or [one for one, _ in found].count(name) > 1:
            raise PatchError(f"{name}: the patch has this module in two layers, so it can't be a model's")
        if len(entries) > 1 and entries[0].expert is None:
            raise PatchError(f"{name}: the patch has this module with and without experts")
    return found


def _own_code(base: Path) -> list[str] | None:
    """The Auto classes of a model whose class is code among its files, which is never run here."""
    try:
        config = json.loads((base / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{base}: no config.json that can be read there") from error
    from transformers import CONFIG_MAPPING

    if not isinstance(config, dict) or config.get("model_type") in CONFIG_MAPPING:
        return None
    named = config.get("auto_map")
    return list(named) if isinstance(named, dict) else None


def _task(autos: list[str]) -> str | None:
    return next((TASKS[auto] for auto in autos if auto in TASKS), None)


def _laid_out(base: Path) -> tuple[Any, str]:
    """The model on torch's meta device, and the name of the Auto class that makes it."""
    import torch

    from editkit.model.open import auto_class, first_line, load_config, quiet

    config = load_config(base, str(base))
    auto = auto_class(config)
    try:
        with quiet(), torch.device("meta"):
            return auto.from_config(config), str(auto.__name__)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError) as error:
        raise ModelError(f"{base}: its config makes no model: {first_line(error)}") from error


def _by_files(name: str, entries: tuple[Entry, ...]) -> Target:
    """Of a class that can't be asked: a `Linear` keeps neurons as columns, a `Conv1D` as rows."""
    if not PLAIN.fullmatch(name):
        raise PatchError(f"{name!r:.200}: no name of a module")
    if entries[0].expert is not None:
        raise PatchError(f"{name}: experts of a class that comes with the model's files: use --merged")
    return Target(name, name, 1, False, entries[0].orientation == "rows", entries)


def _by_model(model: Any, name: str, entries: tuple[Entry, ...]) -> Target:
    from editkit.model.layouts import EXPERTS, neurons_are_rows

    first, leaf = entries[0], name.rpartition(".")[2]
    path = name if first.expert is None else name.rpartition(".")[0]
    try:
        module = model.get_submodule(path)
        weight = module.get_parameter("weight" if first.expert is None else leaf)
        rows = neurons_are_rows(module)
    except AttributeError as error:
        raise PatchError(f"{name}: the base has no such module, so the patch is of another model") from error
    except ModelError as error:
        raise PatchError(f"{name}: PEFT can't change a module of its type: use --merged") from error
    sides = tuple(weight.shape[-2:]) if rows else tuple(weight.shape[:-3:-1])
    experts = weight.shape[0] if weight.ndim == 3 else 1
    if sides != first.sides or any((entry.expert or 0) >= experts for entry in entries):
        raise PatchError(f"{name}: has another shape in the base, so the patch is of another model")
    if first.expert is not None:
        if rows and experts == 1:
            raise PatchError(
                f"{name}: PEFT can't change a single expert that is stored this way: use --merged"
            )
        return Target(name, path, experts, True, False, entries)
    if leaf == EXPERTS and any(getattr(part, EXPERTS, None) is not None for part in _fused(model)):
        return Target(f"{name}.weight", name, 1, True, False, entries)
    return Target(name, name, 1, False, rows, entries)


def _fused(model: Any) -> Iterator[Any]:
    """Modules that hold several experts in one parameter."""
    for module in model.modules():
        if any(parameter.ndim == 3 for parameter in module.parameters(recurse=False)):
            yield module


def unambiguous(model: Any, targets: tuple[Target, ...]) -> None:
    """PEFT looks for the end of a name, so it must not be the end of another's."""
    names = [name for name, _ in model.named_modules()] + [name for name, _ in model.named_parameters()]
    for target in targets:
        for name in names:
            if name.endswith(f".{target.name}"):
                raise PatchError(f"{target.name}: PEFT would change {name} as well: use --merged")
