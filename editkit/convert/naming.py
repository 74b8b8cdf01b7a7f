"""Names of tensors in one layout -> their names in another, and what must be there in the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editkit.errors import ModelError

if TYPE_CHECKING:
    from editkit.convert.folder import Planned

Rules = Sequence[tuple[str, str]]


def renamed(name: str, rules: Rules) -> str | None:
    """What the first rule that matches the whole name makes of it; None where none does."""
    for pattern, replacement in rules:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return None


@contextmanager
def buildable(folder: Path) -> Iterator[None]:
    """What goes wrong while a model is built of a folder's config is the config's fault.

    Raises:
        ModelError: something did.
    """
    try:
        yield
    except Exception as error:  # a config may hold anything, and classes check little of it
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder / 'config.json'}: no model can be built of it ({first})") from error


def blank(make: Callable[[], Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a model, built without memory for them."""
    import torch

    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in make().state_dict().items()}


def complete(
    planned: Mapping[str, Planned], wanted: Mapping[str, tuple[int, ...]], places: Mapping[str, object]
) -> dict[str, Planned]:
    """The wanted tensors, in the model's own order; others are left out.

    Args:
        places: beginning of a name -> the file or folder it should have come from.

    Raises:
        ModelError: a tensor is missing, or has another shape than the model's.
    """
    missing = [name for name in wanted if name not in planned]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise ModelError(f"{_place(missing[0], places)}: nothing there becomes {missing[0]}{more}")
    for name, shape in wanted.items():
        if planned[name].shape != shape:
            raise ModelError(
                f"{_place(name, places)}: {name} is {list(planned[name].shape)} there "
                f"where the rest asks for {list(shape)}"
            )
    return {name: planned[name] for name in wanted}


def _place(name: str, places: Mapping[str, object]) -> object:
    return next((place for beginning, place in places.items() if name.startswith(beginning)), "the parts")
