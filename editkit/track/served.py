"""A patch as a model that MLflow loads: the base with the patch in it answers prompts and pictures.

The code in logged models names this module and its class, so they stay what they are called.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas
from mlflow.pyfunc.model import PythonModel

from editkit.errors import InputError, ModelError
from editkit.plan import Picture, Question

if TYPE_CHECKING:
    from editkit.model.editable import Editable


class Served(PythonModel):
    """What `mlflow.pyfunc.load_model` gives of an edit."""

    def load_context(self, context: Any) -> None:
        """Open the base and write the patch into it.

        Raises:
            ModelError: nobody said where a local base is, or it can't be opened.
            PatchError: the base is not the one the patch was made on.
        """
        self._config = context.model_config
        self._editable = edited(Path(context.artifacts["patch"]), self._config)

    def predict(
        self, context: Any, model_input: pandas.DataFrame, params: Mapping[str, Any] | None = None
    ) -> list[str]:
        """One answer for each row; columns `prompt`, and `image` (base64, a data URL or a file) where wanted.

        Raises:
            InputError: a picture that can't be read, or a prompt that can't be asked.
        """
        from editkit.model.generate import answers

        # A dict of columns comes as one row of lists.
        columns = [name for name, cell in model_input.iloc[0].items() if isinstance(cell, list | tuple)]
        table = model_input.explode(columns) if columns else model_input
        found = answers(
            self._editable,
            questions(self._editable, table.to_dict("records"), self._config["chat"]),
            max_new_tokens=int((params or {})["max_new_tokens"]),
            batch_size=self._config["batch_size"],
        )
        return [answer.text for answer in found]


def edited(patch_path: Path, config: Mapping[str, Any]) -> Editable:
    """The base that `config` names, checked file by file, with the patch in its weights."""
    from editkit.checkpoint import Checkpoint
    from editkit.model.files import locate_files
    from editkit.model.open import open_model
    from editkit.model.patching import write_patch
    from editkit.patch.file import Patch
    from editkit.patch.verify import verify
    from editkit.recipe import ModelRef

    patch = Patch.load(patch_path)
    if config["base"] is None:
        raise ModelError(
            'the edit was made on a local checkpoint: give its folder, with model_config={"base": "DIR"} or '
            'with MLFLOW_PYFUNC_INFERENCE_CONFIG=\'{"base": "DIR"}\' in the environment'
        )
    ref = ModelRef.model_validate(config["base"]).model_copy(
        update={
            "dtype": patch.base.dtype,
            "device": config["device"],
            "trust_remote_code": config["trust_remote_code"],
        }
    )
    folder, _ = locate_files(ref)
    verify(patch, Checkpoint.open(folder))
    editable = open_model(ref)
    write_patch(editable.model, patch)
    return editable


def questions(editable: Editable, rows: Sequence[Mapping[Any, Any]], chat: bool | str) -> list[Question]:
    """Rows as questions, asked as the recipe asked them.

    Raises:
        InputError: an image is neither a file nor base64.
    """
    found = []
    for at, row in enumerate(rows):
        image = row.get("image")
        # An empty cell of a table is NaN or None.
        shown = (_picture(image, f"row {at}"),) if isinstance(image, str) and image else ()
        turn = bool(shown) and editable.has_chat_template if chat == "auto" else bool(chat)
        found.append(Question(str(at), str(at), row["prompt"], shown, turn))
    return found


def _picture(given: str, name: str) -> Picture:
    with suppress(OSError, ValueError):  # base64 is too long for a path, or no path at all
        if Path(given).is_file():
            return Picture(name, Path(given))
    text = given.partition(",")[2] if given.startswith("data:") else given
    try:
        return Picture(name, base64.b64decode("".join(text.split()), validate=True))
    except binascii.Error as error:
        raise InputError(f"{name}: image is neither a file here nor base64") from error
