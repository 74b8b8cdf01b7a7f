"""The families' checkpoints, each written once in a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.families import Family

if TYPE_CHECKING:
    from editkit.model.editable import Editable


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family], Path]:
    """The folder of a family's checkpoint, written once."""

    @cache
    def build(family: Family) -> Path:
        folder = tmp_path_factory.mktemp("families") / family.name
        family.build(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def editable(built: Callable[[Family], Path]) -> Callable[[Family], Editable]:
    """A family's model, opened once; who changes it puts it back."""
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    return cache(lambda family: open_model(ModelRef(id=str(built(family)))))
