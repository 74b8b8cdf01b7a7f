"""A checkpoint without its weights: laid out from its config and the headers of its safetensors files.

Of a Hub model only small files are downloaded; of its weights the first bytes are asked for, where the names
and shapes of the tensors stand. The model itself is made on torch's meta device, which keeps no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch

from editkit.checkpoint import Checkpoint, TensorInfo
from editkit.errors import ModelError
from editkit.model.editable import Editable
from editkit.model.files import locate_files, unreachable
from editkit.model.names import FilePlace, file_places
from editkit.model.open import auto_class, first_line, load_config, open_processor, quiet
from editkit.model.refusals import http_error
from editkit.neuron import MatrixKey
from editkit.recipe import ModelRef

FLOATS: Final = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True)
class Outline:
    """What can be told of a model before any weight is read.

    Attributes:
        editable: over a model on the meta device: names, shapes and words, no numbers.
        stored: tensors of the checkpoint's files; of a Hub model `start` and `end` count from the first byte
            of the weights.
    """

    editable: Editable
    stored: Mapping[str, TensorInfo]

    @cached_property
    def places(self) -> dict[MatrixKey, FilePlace]:
        """Where each W_out is in the files.

        Raises:
            ModelError: a W_out that no tensor of the files can be told to be.
        """
        return file_places(self.editable.model, self.editable.name, self.editable.w_outs, self.stored)

    @property
    def modules(self) -> tuple[tuple[str, str, tuple[int, ...], str], ...]:
        """(module, tensor, shape, dtype) of every tensor of the files that holds a W_out, each once."""
        found = {}
        for place in self.editable.w_outs:
            info = self.stored[self.places[place.key].tensor]
            found[info.name] = (place.name, info.name, info.shape, info.dtype)
        return tuple(found.values())

    @property
    def parameters(self) -> int:
        """How many numbers the model has, tied ones counted once."""
        return sum(parameter.numel() for parameter in self.editable.model.parameters())

    @property
    def stored_bytes(self) -> int:
        """Bytes of all tensors in the files."""
        return sum(info.end - info.start for info in self.stored.values())


def outline(ref: ModelRef, *, processor: bool = True) -> Outline:
    """Lay a model out, of a folder or of the Hub, without reading its weights.

    Args:
        processor: open that too; where only the weights are asked about, the files may lack one.

    Raises:
        ModelError: it is not there, has no safetensors files, or is of no class we can edit.
    """
    folder, revision = locate_files(ref, weights=False)
    trusted = ref.trust_remote_code
    config = load_config(folder, ref.id, trust_remote_code=trusted)
    auto = auto_class(config)
    stored = _headers(ref, folder, revision)
    dtype = _dtype(ref, config, stored)
    try:
        with quiet(), torch.device("meta"):
            model = auto.from_config(config, dtype=dtype, trust_remote_code=trusted)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError) as error:
        raise ModelError(f"{ref.id}: its config makes no model: {first_line(error)}") from error
    model.eval().requires_grad_(False)
    _untie(model, stored)
    reader = open_processor(folder, ref.id, trust_remote_code=trusted) if processor else None
    return Outline(Editable(model, reader, folder, ref.id, revision, ref.w_out), stored)


def _dtype(ref: ModelRef, config: Any, stored: Mapping[str, TensorInfo]) -> torch.dtype:
    """The dtype that the weights will be loaded in, as transformers chooses it."""
    if ref.dtype != "auto":
        found: torch.dtype = getattr(torch, ref.dtype)
        return found
    if isinstance(config.dtype, torch.dtype):
        return config.dtype
    kept = (FLOATS[info.dtype] for info in stored.values() if info.dtype in FLOATS)
    return getattr(torch, next(kept, "float32"))  # type: ignore[no-any-return]  # a dtype by its name


def _untie(model: Any, stored: Mapping[str, TensorInfo]) -> None:
    """Give a head its own weight where the files hold one, whatever the config says (Flan-T5)."""
    head = model.get_output_embeddings()
    if head is None:
        return
    from transformers.core_model_loading import revert_weight_conversion

    named = model.named_parameters(remove_duplicate=False)
    shared = {name: torch.zeros(1, 1) for name, parameter in named if parameter is head.weight}
    own = [name for name in revert_weight_conversion(model, shared) if name in stored]
    if len(own) > 1:
        head.weight = torch.nn.Parameter(torch.empty_like(head.weight), requires_grad=False)


def _headers(ref: ModelRef, folder: Path, revision: str | None) -> Mapping[str, TensorInfo]:
    """The tensors of a checkpoint's files; those of the Hub are asked for where they are not here yet."""
    if revision is None:
        return Checkpoint.open(folder).tensors
    try:
        return Checkpoint.open(folder).tensors
    except ModelError:
        return _hub_headers(ref, revision)


def _hub_headers(ref: ModelRef, revision: str) -> dict[str, TensorInfo]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import NotASafetensorsRepoError, SafetensorsParsingError

    try:
        with quiet():
            found = HfApi().get_safetensors_metadata(ref.id, revision=revision)
    except NotASafetensorsRepoError as error:
        raise ModelError(
            f"{ref.id}: no safetensors files there, and pickled weights can run code when opened: where you "
            "trust them, load them with transformers and save_pretrained(folder), and name that folder"
        ) from error
    except SafetensorsParsingError as error:
        raise ModelError(f"{ref.id}: its safetensors files can't be read: {first_line(error)}") from error
    except (http_error(), OSError) as error:
        raise unreachable(ref, error) from error
    tensors = {}
    for name, file in found.weight_map.items():
        info = found.files_metadata[file].tensors[name]
        start, end = info.data_offsets
        tensors[name] = TensorInfo(Path(file), name, str(info.dtype), tuple(info.shape), start, end)
    return tensors
