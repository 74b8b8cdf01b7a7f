"""How a question is written for a model: its text, and where in it its pictures stand."""

from __future__ import annotations

from typing import Any, Final

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.plan import Question

# Processors that put a picture's tokens in front of the prompt themselves, and know one picture only.
ONE_PICTURE: Final = frozenset({"Blip2Processor", "InstructBlipProcessor"})
# In plain text the others are given a mark for each picture, and then the prompt on a line of its own. These
# families were trained on prompts that follow at once, or their processors put the line's end there.
FOLLOWED: Final = frozenset(
    {
        "Gemma3Processor",
        "Idefics3Processor",
        "IdeficsProcessor",
        "MllamaProcessor",
        "PaliGemmaProcessor",
        "PixtralProcessor",
        "SmolVLMProcessor",
    }
)
# Its models answer on a line of their own.
LINE_END: Final = "PaliGemmaProcessor"


def picture_mark(editable: Editable) -> str | None:
    """What stands for one picture in a text, as the processor wants it; None where none can."""
    if not editable.accepts_images:
        return None
    return str(getattr(editable.processor, "image_token", "<image>"))


def prompt_text(editable: Editable, question: Question) -> str:
    """The text of a prompt as the model reads it: a chat turn where asked for, else plain text.

    A plain prompt may say itself where its pictures stand, by the processor's mark for each; without one they
    come first.

    Raises:
        InputError: pictures for a model that takes none, or another number than it takes; a chat turn for a
            model without a template; marks in the prompt that stand for no picture.
    """
    kind, shown, mark = type(editable.processor).__name__, len(question.images), picture_mark(editable)
    if shown and mark is None:
        raise InputError(f"{editable.name} takes no pictures: give prompts or texts instead of images")
    if shown != 1 and kind in ONE_PICTURE:
        names = ", ".join(picture.name for picture in question.images) or repr(question.prompt[:40])
        raise InputError(f"{editable.name} looks at one picture, and an input has {shown} ({names})")
    marks = question.prompt.count(mark) if mark is not None else 0
    placed = marks == shown and not question.chat and kind not in ONE_PICTURE
    if marks and not placed:
        raise InputError(
            f"the prompt {question.prompt[:60]!r} has {mark!r} in it, which stands for a picture to "
            f"{editable.name}: leave it out, pictures are put in front"
        )
    if question.chat:
        return _turn(editable, question)
    end = "\n" if kind == LINE_END else ""
    if not shown or placed or kind in ONE_PICTURE:
        return question.prompt + end
    before, after = _around(editable)
    line = "" if before or kind in FOLLOWED else "\n"
    return f"{before}{mark}{after}" * shown + line + question.prompt + end


def _turn(editable: Editable, question: Question) -> str:
    if not editable.has_chat_template:
        raise InputError(f"{editable.name} has no chat template: ask with `chat: false`")
    content: list[dict[str, str]] = [{"type": "image"} for _ in question.images]
    content.append({"type": "text", "text": question.prompt})
    message = {"role": "user", "content": content if editable.accepts_images else question.prompt}
    text: str = editable.processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
    return text


def _around(editable: Editable) -> tuple[str, str]:
    """Tokens that a Qwen-VL's pictures are found by, each between the two."""
    config: Any = editable.model.config
    ids = [getattr(config, name, None) for name in ("vision_start_token_id", "vision_end_token_id")]
    if None in ids:
        return "", ""
    before, after = editable.tokenizer.convert_ids_to_tokens(ids)
    return before, after
