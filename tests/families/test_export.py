"""All ways to ship a patch agree, for every family: in memory, a merged checkpoint, a LoRA loaded and merged.

None is refused: experts are one parameter, which PEFT can target. In float32 the merged checkpoint and the
merged LoRA are the patched model itself, so their logits are equal to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.export.lora import export_lora
from editkit.export.merged import export_merged
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.open import auto_class, load_config, load_weights, quiet
from editkit.model.patching import patched
from editkit.patch.file import Patch
from tests.families import FAMILIES, Family
from tests.families.ask import questions

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{text}")
    for text in (
        "__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
        ".is_gradient_checkpointing. is deprecated",
        "Input and output embeddings are no longer tied",  # Flan-T5's never were
    )
]
SAID = ([20, 21, 22], [23], [])
# A LoRA that is not merged adds in another order: 1.2e-5 of the largest logit was the most (Qwen3.5, whose
# linear attention carries a rounding on from token to token), 3e-6 elsewhere.
UNMERGED = 5e-5


@dataclass(frozen=True)
class Ways:
    """One patch, all ways: logits `[3, n_tokens, d_vocab]`."""

    model: Editable
    patch: Patch
    folder: Path
    before: torch.Tensor
    patched: torch.Tensor
    merged: torch.Tensor
    by_transformers: torch.Tensor
    by_peft: torch.Tensor
    lora_merged: torch.Tensor
    notes: tuple[str, ...]
    changed: frozenset[str]


@pytest.fixture(scope="module")
def ways(
    editable: Callable[[Family], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Editable], Ways]:
    def go(model: Editable) -> Ways:
        from peft import PeftModel

        # One to three neurons in a matrix, and every fifth matrix left alone.
        rows = {
            key: (neurons[: 1 + at % 3], delta[: 1 + at % 3])
            for at, (key, (neurons, delta)) in enumerate(random_rows(model, 2).items())
            if at % 5 != 4
        }
        patch = patch_of(model, rows)
        folder = tmp_path_factory.mktemp("ways")
        inputs = call_inputs(model, feed(model, questions(model), SAID))

        def logits(one: Any) -> torch.Tensor:
            with torch.no_grad():
                found: torch.Tensor = one.eval()(**inputs).logits
            return found

        exported = export_lora(patch, model.folder, folder / "lora", base_name=str(model.folder))
        auto = auto_class(load_config(model.folder, "base"))
        with quiet():
            by_transformers = logits(auto.from_pretrained(folder / "lora"))
        adapted = PeftModel.from_pretrained(load_weights(model.folder, "base"), folder / "lora")
        by_peft = logits(adapted)
        changed = {
            name.removeprefix("base_model.model.").replace("base_layer.", "") for name in _holding(adapted)
        }
        export_merged(patch, Checkpoint.open(model.folder), folder / "merged")
        before = logits(model.model)
        with patched(model.model, patch):
            expected = logits(model.model)
        return Ways(
            model,
            patch,
            folder,
            before,
            expected,
            logits(load_weights(folder / "merged", "merged")),
            by_transformers,
            by_peft,
            logits(adapted.merge_and_unload()),
            exported.notes,
            frozenset(changed),
        )

    return go


def _holding(adapted: Any) -> set[str]:
    """The weights that PEFT has put an adapter on."""
    from peft.tuners.lora.layer import LoraLayer

    found = set()
    for name, module in adapted.named_modules():
        if isinstance(module, LoraLayer):
            found.add(f"{name}.{getattr(module, 'parameter_name', 'weight')}")
    return found


@pytest.fixture(scope="module", params=FAMILIES.values(), ids=FAMILIES)
def way(
    request: pytest.FixtureRequest,
    editable: Callable[[Family], Editable],
    ways: Callable[[Editable], Ways],
) -> Ways:
    return ways(editable(request.param))


def off(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference, as a part of the largest logit."""
    return float((one - other).abs().max() / max(1.0, float(other.abs().max())))


def test_a_merged_checkpoint_is_the_patched_model(way: Ways) -> None:
    assert off(way.before, way.patched) > 0.01
    assert torch.equal(way.merged, way.patched)


def test_a_merged_lora_is_the_patched_model(way: Ways) -> None:
    assert way.notes == ()
    assert torch.equal(way.lora_merged, way.patched)


def test_a_lora_says_what_the_patched_model_says(way: Ways) -> None:
    assert off(way.by_transformers, way.patched) < UNMERGED
    assert off(way.by_peft, way.patched) < UNMERGED


def test_peft_changes_the_patchs_modules_and_no_other(way: Ways) -> None:
    entries = way.patch.entries
    assert way.changed == {one.module + ("" if one.expert is not None else ".weight") for one in entries}


def test_what_the_patch_does_not_name_is_the_same_bytes(way: Ways) -> None:
    base, merged = Checkpoint.open(way.model.folder), Checkpoint.open(way.folder / "merged")
    assert base.tensors.keys() == merged.tensors.keys()
    differ = {name for name in base.tensors if base.digest(name) != merged.digest(name)}
    assert differ == {entry.tensor for entry in way.patch.entries}


def test_the_class_is_named_for_peft(way: Ways) -> None:
    config = json.loads((way.folder / "lora" / "adapter_config.json").read_bytes())
    kind = type(way.model.model)
    if way.model.accepts_images:
        named = {"base_model_class": kind.__name__, "parent_library": kind.__module__}
        assert (config["task_type"], config["auto_mapping"]) == (None, named)
    else:
        reads = "SEQ_2_SEQ_LM" if way.model.encoder_decoder else "CAUSAL_LM"
        assert (config["task_type"], config["auto_mapping"]) == (reads, None)
