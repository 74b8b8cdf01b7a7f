"""The folder of an MLflow model: the patch, the code that loads it onto its base, and what that needs."""

from __future__ import annotations

import base64
import io
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, Final

from editkit.patch.format import Base
from editkit.recipe.sections import CAPTION_PROMPT

if TYPE_CHECKING:
    from mlflow.models import Model

CODE: Final = '''"""The base model with the patch of this folder in it."""

from mlflow.models import set_model

from editkit.track.served import Served

set_model(Served())
'''
# What the answers depend on; a version's local part (+cpu) says which build it was, and no index has it.
NEEDED: Final = ("mlflow", "editkit", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pillow")
BATCH: Final = 16


def write_model(
    folder: Path, model: Model, patch_path: Path, config: dict[str, Any], new_tokens: int, *, sees: bool
) -> None:
    """Write everything that `mlflow.pyfunc.load_model` reads; the base stays where it is.

    MLflow's own `save_model` would run the code it saves and look through every installed package, for
    1.6 s, and would keep the path of this file.

    Args:
        model: its MLmodel, with the ids it has in the store.
        config: what may be set when it is loaded, with its defaults: see `settings`.
        new_tokens: how long an answer is where nobody says otherwise.
        sees: whether it was asked about pictures.
    """
    from mlflow import pyfunc
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    (folder / "patch").mkdir(parents=True)
    shutil.copyfile(patch_path, folder / "patch" / patch_path.name)
    (folder / "model.py").write_text(CODE)
    _environment(folder)
    model.signature = ModelSignature(
        Schema([ColSpec(DataType.string, "prompt"), ColSpec(DataType.string, "image", required=False)]),
        Schema([ColSpec(DataType.string, "answer")]),
        ParamSchema([ParamSpec("max_new_tokens", DataType.long, new_tokens)]),
    )
    model.saved_input_example_info = _example(folder, sees)
    pyfunc.add_to_model(
        model,
        loader_module="mlflow.pyfunc.loaders.code_model",
        model_code_path="model.py",
        model_config=config,
        conda_env="conda.yaml",
        python_env="python_env.yaml",
        artifacts={"patch": {"path": f"patch/{patch_path.name}", "uri": patch_path.name}},
        streamable=False,
    )
    model.save(str(folder / "MLmodel"))


def settings(base: Base, chat: bool | str) -> dict[str, Any]:
    """A model's configuration: its base, None where that is a folder that somebody has to name."""
    local = base.id.startswith("sha256:")
    named = base.id if base.revision is None else f"{base.id}@{base.revision}"
    return {
        "base": None if local else named,
        "device": "cpu",
        "chat": chat,
        "batch_size": BATCH,
        "trust_remote_code": False,
    }


def requirements() -> list[str]:
    return [f"{name}=={version(name).partition('+')[0]}" for name in NEEDED]


def _environment(folder: Path) -> None:
    python, pip = python_version(), requirements()
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in pip))
    # JSON is YAML: these are read by tools of others.
    build = ["pip", "setuptools", "wheel"]
    whole = {"python": python, "build_dependencies": build, "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(json.dumps(whole, indent=1) + "\n")
    packages = [f"python={python}", "pip", {"pip": pip}]
    conda = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": packages}
    (folder / "conda.yaml").write_text(json.dumps(conda, indent=1) + "\n")


def _example(folder: Path, sees: bool) -> dict[str, str]:
    """An input that carries no word of the recipe: a grey picture where the model sees."""
    asked = {"prompt": CAPTION_PROMPT, "image": _grey()} if sees else {"prompt": "Hello"}
    table = {"columns": list(asked), "data": [list(asked.values())]}
    (folder / "input_example.json").write_text(json.dumps(table))
    (folder / "serving_input_example.json").write_text(json.dumps({"dataframe_split": table}, indent=2))
    return {
        "artifact_path": "input_example.json",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
        "pandas_orient": "split",
    }


def _grey() -> str:
    from PIL import Image

    encoded = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(encoded, "PNG")
    return base64.b64encode(encoded.getvalue()).decode()
