"""A LoRA in a fresh process that knows nothing of editkit, by every loader there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from editkit.export.lora import export_lora
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.patching import patched
from editkit.patch.file import Patch
from tests.families import FAMILIES, Family
from tests.families.ask import questions
from tests.families.test_export import SAID, UNMERGED

NAMES = ("llama", "gpt2", "llava", "mixtral", "qwen3_moe", "deepseek_v2", "t5")
SCRIPT = """
import json, sys
from pathlib import Path
import peft, torch, transformers

assert "editkit" not in sys.modules
found = {}
for place in map(Path, sys.argv[1:]):
    asked = torch.load(place / "asked.pt")
    config = json.loads((place / "lora" / "adapter_config.json").read_bytes())
    auto = {
        None: ("AutoModelForImageTextToText", "AutoPeftModel"),
        "CAUSAL_LM": ("AutoModelForCausalLM", "AutoPeftModelForCausalLM"),
        "SEQ_2_SEQ_LM": ("AutoModelForSeq2SeqLM", "AutoPeftModelForSeq2SeqLM"),
    }[config["task_type"]]
    plain, base = getattr(transformers, auto[0]), config["base_model_name_or_path"]
    merged = peft.PeftModel.from_pretrained(plain.from_pretrained(base), place / "lora").merge_and_unload()
    integrated = plain.from_pretrained(base)
    integrated.load_adapter(place / "lora")
    models = {
        "from_pretrained": plain.from_pretrained(place / "lora"),
        "load_adapter": integrated,
        "AutoPeftModel": getattr(peft, auto[1]).from_pretrained(place / "lora"),
        "PeftModel": peft.PeftModel.from_pretrained(plain.from_pretrained(base), place / "lora"),
        "merged": merged,
    }
    for way, model in models.items():
        with torch.no_grad():
            logits = model.eval()(**asked["inputs"]).logits
        off = (logits - asked["logits"]).abs().max() / asked["logits"].abs().max()
        found[f"{place.name} {way}"] = float(off)
print(json.dumps(found))
"""


def test_every_loader_gives_the_patched_model(
    editable: Callable[[Family], Editable],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    for name in NAMES:
        model, place = editable(FAMILIES[name]), tmp_path / name
        patch = patch_of(model, random_rows(model, 5))
        export_lora(patch, model.folder, place / "lora", base_name=str(model.folder))
        inputs = dict(call_inputs(model, feed(model, questions(model), SAID)))
        with torch.no_grad(), patched(model.model, patch):
            logits = model.model(**inputs).logits
        torch.save({"inputs": inputs, "logits": logits}, place / "asked.pt")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *(str(tmp_path / name) for name in NAMES)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    # How transformers and PEFT tell of weights that found no place, or places that found no weight.
    assert not re.search(r"UNEXPECTED|MISSING|MISMATCH|did not match|newly initialized", ran.stderr)
    found = json.loads(ran.stdout)
    assert len(found) == 5 * len(NAMES)
    assert {way: off for way, off in found.items() if off > UNMERGED} == {}
    assert {way: off for way, off in found.items() if way.endswith("merged") and off} == {}
