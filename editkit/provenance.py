"""A solved change -> a patch that says what it was made from, and how."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from editkit.delta import Delta
from editkit.neuron import MatrixKey, Neurons
from editkit.patch.format import Base, Method, Provenance
from editkit.patch.make import Place, make_patch
from editkit.patch.words import described, key_for, keyed_digest
from editkit.plan import EditPlan
from editkit.recipe import Recipe

if TYPE_CHECKING:
    from editkit.model.editable import Editable
    from editkit.patch.file import Patch

VERSIONED: Final = ("editkit", "torch", "transformers", "safetensors", "tokenizers", "numpy")


def signed(
    recipe: Recipe, editable: Editable, plan: EditPlan, neurons: Neurons, solver: Any, delta: Delta
) -> Patch:
    """The patch of a delta, on the files the model was loaded from; without scores yet."""
    keys = [(part.layer, part.expert) for part in delta.layers]
    checkpoint, where = _files(editable, keys)
    places = {
        key: Place(editable.w_out(*key).name, where[key].tensor, where[key].orientation, where[key].fused)
        for key in keys
    }
    local = editable.revision is None and Path(editable.name).exists()
    how = recipe.track.privacy.published
    base = Base(
        id=f"sha256:{checkpoint.identity}" if local else editable.name,
        revision=editable.revision,
        dtype=str(editable.model.dtype).removeprefix("torch."),
        config_digest=checkpoint.config_digest,
    )
    scores = zip(neurons.items, neurons.scores, strict=True)
    made = Provenance(
        recipe_digest=keyed_digest(recipe.digest, how, key_for(how)),
        locate=Method(recipe.locate.method, recipe.locate.model_dump(mode="json", exclude={"method"})),
        solve=Method(recipe.solve.method, solver.model_dump(mode="json")),
        seed=recipe.seed,
        versions={package: metadata.version(package) for package in VERSIONED},
        neuron_scores={str(neuron): score for neuron, score in scores},
        edits=tuple(described(one.kind, one.sources, one.target, how) for one in plan.edits),
    )
    return make_patch(delta, places, checkpoint, base, made)


def _files(editable: Editable, keys: Sequence[MatrixKey]) -> tuple[Any, dict[MatrixKey, Any]]:
    """The checkpoint's files, and where each of these W_out is in them."""
    from editkit.checkpoint import Checkpoint
    from editkit.model.names import file_places

    checkpoint = Checkpoint.open(editable.folder)
    places = [editable.w_out(*key) for key in keys]
    return checkpoint, file_places(editable.model, editable.name, places, checkpoint.tensors)
