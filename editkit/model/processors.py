"""What turns prompts and pictures into tensors: a tokenizer, or a processor, also without torchvision.

transformers 5 gives many processors a part for videos that needs torchvision, and then refuses to make the
whole without it. Pictures need none of that: such a processor is made of its tokenizer and its picture part.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

PIXTRAL: Final = "transformers.models.pixtral"
SMOLVLM: Final = "transformers.models.smolvlm.processing_smolvlm"


def load_processor(folder: Path, *, trust_remote_code: bool = False) -> Any:
    """The processor of a checkpoint that takes pictures, else its tokenizer.

    Raises:
        OSError, ValueError, ImportError, AttributeError, KeyError: whatever transformers says is wrong.
    """
    from transformers import AutoProcessor, AutoTokenizer

    if not takes_pictures(folder):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)
    try:
        return AutoProcessor.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except (ImportError, OSError) as error:  # OSError: saved without its part for videos
        kind = processor_class(folder)
        if kind is None or not ("torchvision" in str(error).lower() or "video" in str(error)):
            raise
        with pictures_only(kind) as made:
            return made.from_pretrained(folder)


def takes_pictures(folder: Path) -> bool:
    """Whether there is an image processor among a checkpoint's files."""
    if (folder / "preprocessor_config.json").is_file():
        return True
    file = folder / "processor_config.json"
    return file.is_file() and "image_processor" in json.loads(file.read_text(encoding="utf-8"))


def processor_class(folder: Path) -> str | None:
    """The name of a checkpoint's processor class; which file has it has changed over the years."""
    for file in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json"):
        if (folder / file).is_file():
            name = json.loads((folder / file).read_text(encoding="utf-8")).get("processor_class")
            if name is not None:
                return str(name)
    return None


@contextmanager
def pictures_only(kind: str) -> Iterator[Any]:
    """The processor class `kind` without its part for videos.

    What is put in the place of missing libraries for the time of the block is taken away again.
    """
    import transformers

    if kind == "PixtralProcessor":
        with _pixtral() as made:
            yield made
    elif kind == "SmolVLMProcessor":
        module: Any = import_module(SMOLVLM)
        words, module.num2words = module.num2words, str  # it spells out how many pictures a video has
        try:
            yield _without_videos(module.SmolVLMProcessor)
        finally:
            module.num2words = words
    else:
        yield _without_videos(getattr(transformers, kind))


@contextmanager
def _pixtral() -> Iterator[Any]:
    """It takes one function from the image processor that needs torchvision; the other has it too."""
    import transformers
    from transformers.utils import import_utils

    if import_utils.is_torchvision_available():
        yield transformers.PixtralProcessor
        return
    looks, reads = f"{PIXTRAL}.image_processing_pixtral", f"{PIXTRAL}.processing_pixtral"
    sys.modules[looks] = import_module(f"{PIXTRAL}.image_processing_pil_pixtral")
    try:
        yield import_module(reads).PixtralProcessor
    finally:
        for name in (looks, reads):
            sys.modules.pop(name, None)


def _without_videos(made: Any) -> Any:
    from transformers.processing_utils import ProcessorMixin

    class PicturesOnly(made):  # type: ignore[misc]
        # SmolVLM's own asks the video processor how many pictures to take.
        apply_chat_template = ProcessorMixin.apply_chat_template

        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in super().get_attributes() if name != "video_processor"]

        @classmethod
        def from_args_and_dict(cls, args: Any, processor_dict: dict[str, Any], **kwargs: Any) -> Any:
            return super().from_args_and_dict(args, processor_dict | {"video_processor": None}, **kwargs)

    PicturesOnly.__name__ = PicturesOnly.__qualname__ = made.__name__
    return PicturesOnly
