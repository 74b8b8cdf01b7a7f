"""What PEFT is told to change, and the few things it can't."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from editkit.errors import PatchError
from editkit.export.targets import adapted, unambiguous
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.patch.format import Entry

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}


@pytest.fixture
def of(
    llama: Editable, random_rows: Callable[..., Any], patch_of: Callable[..., Patch]
) -> Callable[..., Patch]:
    """A patch of entries like one of the tiny Llama's, but for some fields."""
    made = patch_of(llama, random_rows(llama, 1, [0]))

    def make(*changes: dict[str, Any]) -> Patch:
        entries: tuple[Entry, ...] = tuple(replace(made.entries[0], **fields) for fields in changes)
        return replace(made, entries=entries)

    return make


@pytest.fixture
def experts(tmp_path: Path) -> Callable[..., Path]:
    """The folder of a config with experts."""

    def make(kind: str, **others: Any) -> Path:
        import transformers

        config = getattr(transformers, f"{kind}Config")(**SIZES, **others)
        config.architectures = [f"{kind}ForCausalLM"]
        config.save_pretrained(tmp_path)
        return tmp_path

    return make


def test_experts_are_one_parameter_whoever_of_them_changes(
    of: Callable[..., Patch], experts: Callable[..., Path]
) -> None:
    base, module = experts("Mixtral", num_local_experts=4), "model.layers.0.mlp.experts.down_proj"
    apart = [{"module": module, "expert": one, "tensor": f"experts.{one}.w2.weight"} for one in (1, 3)]
    found = adapted(of(*apart), base)
    (target,) = found.targets
    assert (target.name, target.module) == (module, module.rpartition(".")[0])
    assert (target.experts, target.parameter, target.turned, len(target.entries)) == (4, True, False, 2)
    assert (found.task, found.mapping) == ("CAUSAL_LM", None)


def test_a_down_proj_beside_experts_is_a_parameter_too(
    of: Callable[..., Patch], experts: Callable[..., Path]
) -> None:
    """As a module, PEFT takes its name for that of all experts."""
    base = experts("Qwen2Moe", num_experts=4, shared_expert_intermediate_size=48)
    module = "model.layers.0.mlp.shared_expert.down_proj"
    (target,) = adapted(of({"module": module}), base).targets
    assert (target.name, target.module, target.experts) == (f"{module}.weight", module, 1)
    assert target.parameter


@pytest.mark.parametrize("expert", [4, 400])
def test_an_expert_too_many_is_refused(
    expert: int, of: Callable[..., Patch], experts: Callable[..., Path]
) -> None:
    base = experts("Mixtral", num_local_experts=4)
    with pytest.raises(PatchError, match="another shape"):
        adapted(of({"module": "model.layers.0.mlp.experts.down_proj", "expert": expert}), base)


def test_a_single_expert_that_is_turned_is_refused(
    of: Callable[..., Patch], experts: Callable[..., Path]
) -> None:
    module = "model.layers.0.mlp.experts.down_proj"
    asked = of({"module": module, "expert": 0})
    with pytest.raises(PatchError, match=rf"^{module}: PEFT can't change a single expert"):
        adapted(asked, experts("GptOss", num_local_experts=1, num_experts_per_tok=1))
    (target,) = adapted(asked, experts("Mixtral", num_local_experts=1, num_experts_per_tok=1)).targets
    assert target.experts == 1


def test_matrices_kept_in_two_ways_are_refused(
    of: Callable[..., Patch], tiny: Callable[..., Editable]
) -> None:
    model = tiny("gpt2")
    head = {"module": "lm_head", "layer": 1, "tensor": "lm_head.weight", "shape": (310, 32)}
    mlp = {"module": "transformer.h.0.mlp.c_proj", "orientation": "rows", "shape": (128, 32)}
    wide = of({})
    rows = {name: wide.entries[0].original[:, :1].repeat(310, axis=1) for name in ("original", "edited")}
    with pytest.raises(PatchError, match=r"c_proj and others .* one LoRA adapter can't say"):
        adapted(of(mlp, {**head, **rows, "neurons": np.arange(3)}), model.folder)


def test_a_name_that_ends_another_is_refused(of: Callable[..., Patch], llama: Editable) -> None:
    targets = adapted(of({}), llama.folder).targets
    unambiguous(llama.model, targets)
    twice = nn.ModuleDict({"eye": llama.model, "model": llama.model.model})
    with pytest.raises(PatchError, match=r"PEFT would change eye\.model\.layers\.0\.mlp\.down_proj as well"):
        unambiguous(twice, targets)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([{}, {"layer": 1, "tensor": "other"}], "in two layers"),
        ([{}, {"layer": 1, "module": "a", "tensor": "a"}, {"layer": 2, "tensor": "b"}], "in two layers"),
        ([{}, {"expert": 1, "tensor": "other"}], "with and without experts"),
    ],
)
def test_a_module_that_stands_there_twice_is_refused(
    changes: list[dict[str, Any]], said: str, of: Callable[..., Patch], llama: Editable
) -> None:
    with pytest.raises(PatchError, match=said):
        adapted(of(*changes), llama.folder)


@pytest.mark.parametrize(
    "auto", ["AutoModelForCausalLM", "AutoModelForSeq2SeqLM", "AutoModelForImageTextToText"]
)
def test_a_class_of_its_own_code_is_read_off_the_files(
    auto: str, of: Callable[..., Patch], tmp_path: Path
) -> None:
    """Nothing of it is run: the file it names is not even there."""
    named = {"AutoConfig": "its.Config", auto: "its.Model"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "its", "auto_map": named}))
    found = adapted(of({}), tmp_path)
    assert found.task == {"CausalLM": "CAUSAL_LM", "Seq2SeqLM": "SEQ_2_SEQ_LM"}.get(auto[12:])
    assert [(one.name, one.turned) for one in found.targets] == [("model.layers.0.mlp.down_proj", False)]
    (turned,) = adapted(of({"orientation": "rows", "shape": (48, 32)}), tmp_path).targets
    assert turned.turned
    with pytest.raises(PatchError, match=r"'a\(b' *: no name of a module"):
        adapted(of({"module": "a(b"}), tmp_path)
    with pytest.raises(PatchError, match=r"down_proj: experts of a class that comes with the model's files"):
        adapted(of({"expert": 1}), tmp_path)
