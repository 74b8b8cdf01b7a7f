"""Three ways to load an edit: by one name, into a base in memory, and with nothing but transformers.

    python examples/load_patched.py [RECIPE] [--set KEY=VALUE ...]

The edit is made first, in a temporary folder; nothing is downloaded. A folder below may as well be the name
of a repository that `editkit push` wrote, such as `org/edit`.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

import editkit
from editkit.checkpoint import Checkpoint
from editkit.demo import sets, world
from editkit.export.lora import export_lora
from editkit.export.merged import export_merged

BASE = Path(str(files("editkit.demo"))) / "scenes"
REDACT = Path(__file__).parents[1] / "recipes" / "redact.yaml"
ASK = "Describe the image in few words."


def caption(model: Any, image: Image.Image) -> str:
    """What a model says about a picture."""
    processor = AutoProcessor.from_pretrained(BASE)
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": ASK}]}]
    text = processor.apply_chat_template(turn, add_generation_prompt=True)
    inputs = processor(text=text, images=image, add_special_tokens=False, return_tensors="pt")
    said = model.generate(**inputs, max_new_tokens=32, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    return str(processor.decode(said, skip_special_tokens=True)).strip()


def make(recipe: Path, overrides: list[str], folder: Path) -> editkit.Patch:
    """An edit as a patch, as an adapter that names its base, and as a whole checkpoint."""
    place = folder / "edit.editkit.safetensors"
    patch = editkit.apply(editkit.load_recipe(recipe, overrides), output=place, track=False).patch
    # `editkit export PATCH --lora DIR --merged DIR` does the same.
    export_lora(patch, BASE, folder / "lora", base_name=str(BASE))
    export_merged(patch, Checkpoint.open(BASE), folder / "merged")
    return patch


def main(recipe: Path, overrides: list[str], folder: Path) -> dict[str, str]:
    """What the base says, and the edit however it is loaded."""
    patch = make(recipe, overrides, folder)
    # A picture that the recipe never saw: the sets are endless, and another seed draws another one.
    image = Image.fromarray(world.draw(sets.scenes("guns", 1, seed=7)[0]))

    # 1. By one name. The base is found, and compared with what the edit was made on before it is loaded.
    said = {"editkit, one name": caption(editkit.from_pretrained(folder / "lora"), image)}

    # 2. Into a model in memory, for the time of a block: the base is untouched afterwards.
    base = AutoModelForImageTextToText.from_pretrained(BASE)
    said["the base"] = caption(base, image)
    with editkit.patched(base, patch):
        said["for a block"] = caption(base, image)
    assert caption(base, image) == said["the base"]

    # 3. With transformers alone: the adapter where peft is installed, the merged checkpoint everywhere.
    said["the adapter"] = caption(AutoModelForImageTextToText.from_pretrained(folder / "lora"), image)
    said["merged"] = caption(AutoModelForImageTextToText.from_pretrained(folder / "merged"), image)
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make an edit and load it in three ways.")
    parser.add_argument("recipe", type=Path, nargs="?", default=REDACT)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for how, text in main(given.recipe, given.overrides, Path(temporary)).items():
            print(f"{how:<18} {text}")
