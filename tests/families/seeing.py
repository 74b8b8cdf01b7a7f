"""How a family that sees is built: image processor and tokenizer, their processor, the model they feed."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from editkit.model.processors import pictures_only
from tests.families.chats import reader, speech
from tests.families.family import Family, ids, save

VIDEOS: Final = {
    "LlavaOnevisionProcessor": "LlavaOnevisionVideoProcessor",
    "Qwen2VLProcessor": "Qwen2VLVideoProcessor",
    "Qwen2_5_VLProcessor": "Qwen2VLVideoProcessor",
    "Qwen3VLProcessor": "Qwen3VLVideoProcessor",
    "SmolVLMProcessor": "SmolVLMVideoProcessor",
    "InternVLProcessor": "InternVLVideoProcessor",
}
LIMITED: Final = {*VIDEOS, "PixtralProcessor"}


def sees(
    name: str,
    checked: str,
    model: str,
    words: str,
    looks: tuple[str, dict[str, Any]],
    reads: tuple[str, dict[str, Any]],
    *,
    beyond: int = 0,
    old: bool = False,
    encoder_decoder: bool = False,
    moe: bool = False,
    **config: Any,
) -> Family:
    """A family with pictures.

    Args:
        words: a kind of `chats.KINDS`.
        looks, reads: the image processor and the processor, each a class and what it is given.
        beyond: tokens at the end of the vocabulary that the text model's own does not count.
        old: the processor's files are those of 2024, as most real checkpoints still have them.
        config: the model's; of a token named in it, the id is taken.
    """

    def build(folder: Path) -> None:
        import torch

        torch.manual_seed(crc32(name.encode()))
        processor = _processor(words, looks, reads)
        save(_model(model, config, processor.tokenizer, beyond), processor, folder)
        if reads[0] in VIDEOS:
            _name_videos(folder, VIDEOS[reads[0]])
        if old:
            _as_of_2024(folder)

    return Family(name, build, checked, images=True, encoder_decoder=encoder_decoder, moe=moe)


def _processor(words: str, looks: tuple[str, dict[str, Any]], reads: tuple[str, dict[str, Any]]) -> Any:
    import transformers

    tokenizer, template = speech(words)
    kind, given = reads
    parts = {"image_processor": getattr(transformers, looks[0])(**looks[1]), "tokenizer": tokenizer}
    if template:
        parts["chat_template"] = template
    if kind == "InstructBlipProcessor":
        parts["qformer_tokenizer"] = reader()
    if kind in VIDEOS:
        parts["video_processor"] = None
    with pictures_only(kind) if kind in LIMITED else nullcontext(getattr(transformers, kind)) as made:
        return made(**parts, **given)


def _model(kind: str, config: dict[str, Any], tokenizer: Any, beyond: int) -> Any:
    import torch
    import transformers

    settings = _with_ids(config, tokenizer)
    known = ids(tokenizer)
    text = settings.get("text_config", settings)
    text.update(known, vocab_size=known["vocab_size"] - beyond)
    made = getattr(transformers, kind)
    model = made(made.config_class(**settings))
    for name, parameter in model.named_parameters():
        # Freshly made gates and queries are zero, and would hide the picture.
        if not name.endswith("bias") and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def _with_ids(config: Any, tokenizer: Any) -> Any:
    """A copy of a config's arguments, with the ids of the tokens they name."""
    if not isinstance(config, dict):
        return config
    return {
        key: tokenizer.convert_tokens_to_ids(value)
        if key.endswith(("_token_id", "_token_index")) and isinstance(value, str)
        else _with_ids(value, tokenizer)
        for key, value in config.items()
    }


def _name_videos(folder: Path, kind: str) -> None:
    """Write what `save_pretrained` writes where torchvision is: the name of the video processor."""
    file = folder / "processor_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["video_processor"] = {"video_processor_type": kind}
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _as_of_2024(folder: Path) -> None:
    """The image processor's settings in a file of their own, the chat template in JSON."""
    settings = json.loads((folder / "processor_config.json").read_text(encoding="utf-8"))
    looks = settings["image_processor"] | {"processor_class": settings["processor_class"]}
    chat = {"chat_template": (folder / "chat_template.jinja").read_text(encoding="utf-8")}
    for file, content in (("preprocessor_config.json", looks), ("chat_template.json", chat)):
        (folder / file).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for file in ("processor_config.json", "chat_template.jinja"):
        (folder / file).unlink()
