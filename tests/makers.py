"""Fixtures that make questions, edits, cases, rows and patches."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from editkit.model.editable import Editable
    from editkit.neuron import MatrixKey
    from editkit.patch.file import Patch
    from editkit.plan import Case, PlannedEdit, Question

# Before torch, transformers or mlflow is imported by any test: they read these once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["NO_COLOR"] = "1"


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[Question]]:
    """`ask(editable)`: three questions of different lengths, with a picture each where the model sees."""
    from editkit.demo.world import scene
    from editkit.probe.questions import question
    from editkit.probe.scenes import picture

    prompts = ("the gun", "Describe the image in few words.", "a knife and a fork on the table")

    def asked(editable: Editable) -> list[Question]:
        seen = [[picture(f"{at}.png", scene(5, at))] if editable.accepts_images else [] for at in range(3)]
        return [question(prompt, shown) for prompt, shown in zip(prompts, seen, strict=True)]

    return asked


@pytest.fixture(scope="session")
def make_edit() -> Callable[..., PlannedEdit]:
    """`make_edit(tokenizer, "gun", target="cup", kind="map")`."""
    from editkit.plan import PlannedEdit
    from editkit.probe.words import forms

    def make(tokenizer: Any, *words: str, target: str | None = None, **others: Any) -> PlannedEdit:
        kind = others.pop("kind", "suppress" if target is None else "map")
        split = forms(tokenizer, words, target)
        return PlannedEdit(others.pop("number", 0), kind, kind, words, target, split, **others)

    return make


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """`make_case(tokenizer, question, " a gun")`: a case whose answer of the unedited model is made up."""
    from editkit.plan import Case

    def make(tokenizer: Any, question: Question, said: str, role: Any = "edit", **others: Any) -> Case:
        tokens = tuple(tokenizer.encode(said, add_special_tokens=False))
        edits = others.pop("edits", (0,) if role in ("edit", "held_out") else ())
        return Case(question, role, said, tokens, edits, **others)

    return make


@pytest.fixture(scope="session")
def random_rows() -> Callable[..., dict[MatrixKey, tuple[Tensor, Tensor]]]:
    """`random_rows(editable, seed)`: W_out -> (neurons, delta) as long as the rows it changes."""
    import torch

    def make(editable: Editable, seed: int, layers: Any = None, count: int = 3) -> Any:
        generator = torch.Generator().manual_seed(seed)
        found = {}
        for key in editable.matrices(range(len(editable.layers)) if layers is None else layers):
            rows = editable.w_out(*key).rows
            neurons = torch.randperm(len(rows), generator=generator)[:count].sort().values
            delta = torch.randn(count, rows.shape[1], generator=generator)
            norms = rows[neurons].float().norm(dim=1, keepdim=True)
            found[key] = (neurons, delta / delta.norm(dim=1, keepdim=True) * norms)
        return found

    return make


@pytest.fixture(scope="session")
def patch_of() -> Callable[..., Patch]:
    """`patch_of(editable, rows)`: the patch of (layer -> neurons, delta), from the checkpoint's files."""
    from editkit.checkpoint import Checkpoint
    from editkit.delta import Delta, LayerDelta
    from editkit.model.names import file_places
    from editkit.patch.format import Base, Method, Provenance
    from editkit.patch.make import Place, make_patch

    def make(editable: Editable, rows: Any) -> Patch:
        checkpoint = Checkpoint.open(editable.folder)
        own = [editable.w_out(*key) for key in rows]
        where = file_places(editable.model, "tiny", own, checkpoint.tensors)
        places = {
            place.key: Place(place.name, at.tensor, at.orientation, at.fused)
            for place, at in zip(own, where.values(), strict=True)
        }
        parts = [
            LayerDelta(layer, expert, tuple(neurons.tolist()), delta.numpy())
            for (layer, expert), (neurons, delta) in rows.items()
        ]
        base = Base("tiny", None, "float32", checkpoint.config_digest)
        how = Provenance("0" * 64, Method("listed"), Method("gradient"), 0)
        return make_patch(Delta(tuple(parts)), places, checkpoint, base, how)

    return make
