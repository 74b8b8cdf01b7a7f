"""A Hub for a whole test run, a process that talks to it, and what is to be published there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hub.repository import COMMIT, Repository, User
from tests.hub.server import Hub, loopback
from tests.hub.worker import Worker

if TYPE_CHECKING:
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch

ANA, BEN, EYE = "hf_ana", "hf_ben", "hf_eye"
USERS = {
    ANA: User("ana", ("ana", "org")),
    BEN: User("ben", ("ben",)),
    EYE: User("eye", ("org",), writes=False),
}


@dataclass(frozen=True)
class Shipped:
    """An edit of a tiny model that is on the Hub, in every form that can be pushed.

    Attributes:
        base: folder of the model; `base_name` is what it is called on the Hub.
        merged, lora, hub: folders; `file` is the patch's.
    """

    base: Path
    base_name: str
    patch: Patch
    merged: Path
    lora: Path
    hub: Path
    file: Path

    def form(self, kind: str) -> Path:
        return self.file if kind == "patch" else getattr(self, kind)


@pytest.fixture(scope="session")
def serving() -> Iterator[Hub]:
    with loopback() as found:
        found.users.update(USERS)
        yield found


@pytest.fixture(scope="session")
def worker(serving: Hub, tmp_path_factory: pytest.TempPathFactory, _own_key: None) -> Iterator[Worker]:
    made = Worker(serving.endpoint, tmp_path_factory.mktemp("hf"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def shipped(
    tiny: Callable[..., Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    serving: Hub,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Shipped]:
    """`shipped("llama")`; another seed is another edit of the same base."""
    from editkit.checkpoint import Checkpoint
    from editkit.export.folder import export_hub
    from editkit.export.lora import export_lora
    from editkit.export.merged import export_merged

    @cache
    def make(family: str, seed: int = 3) -> Shipped:
        editable = tiny(family)
        name = f"org/{family}"
        serving.repositories.setdefault(name, Repository.of(name, editable.folder))
        made = patch_of(editable, random_rows(editable, seed))
        patch = replace(made, base=replace(made.base, id=name, revision=COMMIT))
        work = tmp_path_factory.mktemp("shipped")
        export_merged(patch, Checkpoint.open(editable.folder), work / "merged")
        export_lora(patch, editable.folder, work / "lora")
        export_hub(patch, editable.folder, work / "hub")
        patch.save(work / "edit.editkit.safetensors")
        forms = {kind: work / kind for kind in ("merged", "lora", "hub")}
        return Shipped(editable.folder, name, patch, file=work / "edit.editkit.safetensors", **forms)

    return make
