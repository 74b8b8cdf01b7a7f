"""The families' checkpoints, each written once in a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.families import Family


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family], Path]:
    """The folder of a family's checkpoint, written once."""

    @cache
    def build(family: Family) -> Path:
        folder = tmp_path_factory.mktemp("families") / family.name
        family.build(folder)
        return folder

    return build
