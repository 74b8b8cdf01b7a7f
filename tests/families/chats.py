"""Tokenizers and chat templates of the families that see, as theirs are apart from the text."""

from __future__ import annotations

import string
from functools import partial
from typing import Any, Final

from tests.families.words import SENTENCES, words


def _turns(before: str, image: str, after: str, reply: str, start: str = "") -> str:
    """A chat template; a message's content is text, or a list of pictures and texts."""
    part = f"{{% if p['type'] == 'image' %}}{image}{{% else %}}{{{{ p['text'] }}}}{{% endif %}}"
    parts = f"{{% for p in m['content'] %}}{part}{{% endfor %}}"
    content = f"{{% if m['content'] is string %}}{{{{ m['content'] }}}}{{% else %}}{parts}{{% endif %}}"
    turns = f"{{% for m in messages %}}{before}{content}{after}{{% endfor %}}"
    return f"{start}{turns}{{% if add_generation_prompt %}}{reply}{{% endif %}}"


ROLE: Final = "{{ m['role'] }}"
SYSTEM: Final = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
SEEN: Final = "<|vision_start|><|image_pad|><|vision_end|>"
_chatml = partial(_turns, f"<|im_start|>{ROLE}\n", after="<|im_end|>\n", reply="<|im_start|>assistant\n")
_idefics = partial(_turns, "{{ m['role'] | capitalize }}:", "<image>", "<end_of_utterance>\n", "Assistant:")

QWEN: Final = "<|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>"
CROPS: Final = "<global-img> <row_1_col_1> <row_1_col_2> <row_2_col_1> <row_2_col_2>"
IDEFICS: Final = f"{CROPS} <fake_token_around_image> <image> <end_of_utterance>"

# Name -> kind of words, special tokens that come last, what else the tokenizer is given, chat template.
# LLaVA's templates leave the bos to the tokenizer; Gemma's, Llama's and Pixtral's begin with it.
KINDS: Final[dict[str, tuple[str, str, dict[str, str], str | None]]] = {
    "llava": (
        "llama2",
        "<image> <pad>",
        {"pad_token": "<pad>", "image_token": "<image>"},
        _turns("{{ m['role'] | upper }}: ", "<image>\n", " ", "ASSISTANT:"),
    ),
    "llava_next": (
        "mistral",
        "<image> <pad>",
        {"pad_token": "<pad>", "image_token": "<image>"},
        _turns("[INST] ", "<image>\n", " [/INST]", ""),
    ),
    "llava_onevision": (
        "qwen2",
        "<image> <video>",
        {"image_token": "<image>", "video_token": "<video>"},
        _chatml(image="<image>\n"),
    ),
    "vicuna": (
        "llama2",
        "[PAD] <image>",
        {"bos_token": "</s>", "unk_token": "</s>", "pad_token": "[PAD]"},
        None,
    ),
    "opt": ("opt", "<image>", {}, None),
    "t5": ("t5", "<image>", {}, None),
    "qwen2_vl": ("qwen2", QWEN, {}, _chatml(image=SEEN, start=SYSTEM)),
    "qwen3_vl": ("qwen2", QWEN, {}, _chatml(image=SEEN)),
    "qwen3_5": ("qwen3_5", QWEN, {}, _chatml(image=SEEN)),
    "paligemma": ("gemma", "<image>", {"image_token": "<image>"}, None),
    "gemma3": (
        "gemma",
        "<start_of_image> <end_of_image> <image_soft_token>",
        {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"},
        _turns(
            "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n",
            "<start_of_image>",
            "<end_of_turn>\n",
            "<start_of_turn>model\n",
            "{{ bos_token }}",
        ),
    ),
    "idefics": ("llama2", "<fake_token_around_image> <image>", {"pad_token": "<unk>"}, None),
    "idefics3": (
        "llama3",
        f"<pad> {IDEFICS}",
        {"eos_token": "<end_of_utterance>", "pad_token": "<pad>"},
        _idefics(start="<|begin_of_text|>"),
    ),
    "smolvlm": (
        "gpt2",
        f"<|im_start|> <|im_end|> {IDEFICS}",
        {"bos_token": "<|im_start|>", "eos_token": "<end_of_utterance>", "pad_token": "<|im_end|>"},
        _idefics(start="<|im_start|>"),
    ),
    "mllama": (
        "llama3",
        "<pad> <|python_tag|> <|image|>",
        {"pad_token": "<pad>"},
        _turns(
            f"<|start_header_id|>{ROLE}<|end_header_id|>\n\n",
            "<|image|>",
            "<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "{{ bos_token }}",
        ),
    ),
    "internvl": (
        "qwen2",
        "<img> </img> <IMG_CONTEXT> <video>",
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
        _chatml(image="<IMG_CONTEXT>\n"),
    ),
    "pixtral": (
        "bloom",
        "[INST] [/INST] [IMG] [IMG_BREAK] [IMG_END]",
        {"add_bos_token": True},
        _turns("[INST]", "[IMG]", "[/INST]", "", "{{ bos_token }}"),
    ),
}


def speech(kind: str) -> tuple[Any, str | None]:
    """The tokenizer of a kind and its chat template, which stands in the processor's files."""
    base, last, given, template = KINDS[kind]
    return words(base, *last.split(), **{"chat_template": None, "model_max_length": 256, **given}), template


def reader() -> Any:
    """What a Q-Former reads the question with: words in lower case, or their letters."""
    from transformers import BertTokenizer

    letters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters))
    known = dict.fromkeys((*pieces, *" ".join(SENTENCES).lower().replace(".", "").replace(",", "").split()))
    return BertTokenizer(vocab={piece: at for at, piece in enumerate(known)}, model_max_length=256)
