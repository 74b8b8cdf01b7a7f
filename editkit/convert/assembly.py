"""A checkpoint that is put together: what its folder will hold, known before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from editkit.atomic import new_folder, vacant
from editkit.convert.folder import Planned, write_json, write_tensors
from editkit.convert.part import settings
from editkit.events import Tell, nobody

READS: Final = "processor_config.json"


@dataclass(frozen=True)
class Converted:
    """A folder that is written."""

    folder: Path
    n_tensors: int
    n_bytes: int


@dataclass(frozen=True)
class Assembly:
    """The contents of a checkpoint folder.

    Attributes:
        tensors: name in the files -> where its values come from.
        code: Python files the model is made of, where transformers has no class for it.
        reads: more settings for `processor_config.json`.
    """

    config: Any
    tensors: Mapping[str, Planned]
    processor: Any
    code: tuple[Path, ...] = ()
    reads: Mapping[str, Any] = field(default_factory=dict)

    def write(self, place: Path, tell: Tell = nobody) -> Converted:
        """The folder, whole or not at all.

        Raises:
            OutputError: `place` is there already, has no room, or can't be written.
            ModelError: a value does not fit its dtype.
        """
        from transformers import GenerationConfig

        n_bytes = sum(one.n_bytes for one in self.tensors.values())
        with new_folder(place, n_bytes) as folder:
            self.config.save_pretrained(folder)
            generation = GenerationConfig.from_model_config(self.config.get_text_config())
            generation.save_pretrained(folder)
            self.processor.save_pretrained(folder)
            write_json(folder / READS, {**settings(folder, READS), **self.reads})
            for file in self.code:
                shutil.copyfile(file, folder / file.name)
            write_tensors(folder, self.tensors, tell)
        return Converted(place, len(self.tensors), n_bytes)


class Parts(Protocol):
    """A model's published parts; one class of `CONVERSIONS` for each model."""

    def assemble(self, tell: Tell = nobody) -> Assembly: ...


def convert(parts: Parts, place: Path, tell: Tell = nobody) -> Converted:
    """Put the parts together and write the folder.

    Raises:
        UsageError, ModelError, OutputError: see `assemble` and `write`.
    """
    vacant(place, hint="name another place with -o")
    return parts.assemble(tell).write(place, tell)
