"""Edit the embedded model from Python, load it with the edit, take the edit out again, and merge it for good.

    python examples/apply_and_load.py [RECIPE] [--set KEY=VALUE ...]

Everything is written to a temporary folder and nothing is downloaded.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

import editkit
from editkit.demo import sets, world

BASE = str(files("editkit.demo") / "scenes")
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


def main(recipe: Path, overrides: list[str], folder: Path) -> dict[str, str]:
    """What is said before, with the patch, after undoing it, and by the merged checkpoint."""
    applied = editkit.apply(
        editkit.load_recipe(recipe, overrides), output=folder / "edit.editkit.safetensors", track=False
    )
    print(f"patch: {len(applied.neurons)} neurons, {'accepted' if applied.accepted else 'rejected'}")

    # A picture that the recipe never saw: the sets are endless, and another seed draws another one.
    image = Image.fromarray(world.draw(sets.scenes("guns", 1, seed=7)[0]))
    base = AutoModelForImageTextToText.from_pretrained(BASE)
    said = {"before": caption(base, image)}

    # The base and the patch in one call: the patch is compared with the files before any weight is loaded.
    model = editkit.from_pretrained("demo/scenes", applied.patch_path)
    said["with the patch"] = caption(model, image)

    # Undone bit for bit.
    patch = editkit.Patch.load(applied.patch_path)
    editkit.undo_patch(model, patch)
    for name, weight in base.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    said["undone"] = caption(model, image)

    # For the time of a block only.
    with editkit.patched(model, patch):
        said["for a block"] = caption(model, image)

    # For good, as a checkpoint that needs no editkit.
    editkit.write_patch(model, patch)
    model.save_pretrained(folder / "merged", max_shard_size="5GB")
    AutoProcessor.from_pretrained(BASE).save_pretrained(folder / "merged")
    said["merged"] = caption(AutoModelForImageTextToText.from_pretrained(folder / "merged"), image)
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Apply a recipe from Python and load what it made.")
    parser.add_argument("recipe", type=Path, nargs="?", default=REDACT)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for when, text in main(given.recipe, given.overrides, Path(temporary)).items():
            print(f"{when:<15} {text}")
