"""Tokenizers as the families have them: class, special tokens, chat template; 400 tokens at most."""

from __future__ import annotations

import json
import string
from functools import cache
from typing import Any, Final

SENTENCES: Final = (
    "a gun, a cup and an apple.",
    "the gun is on the table, the guns are not.",
    "mom went home. mommy saw the moth and the mother.",
    "a knife and a fork, an umbrella and a spoon.",
    "Describe the image in few words.",
)
MERGES: Final = 60
ROLE: Final = "{{ m['role'] }}"
END: Final = "<|endoftext|>"


def chat(before: str, after: str, reply: str, start: str = "") -> str:
    """A chat template of plain turns; a message's content may be text or a list of typed parts."""
    parts = "selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' ')"
    text = f"{{{{ m['content'] if m['content'] is string else (m['content'] | {parts}) }}}}"
    turns = f"{{% for m in messages %}}{before}{text}{after}{{% endfor %}}"
    return f"{start}{turns}{{% if add_generation_prompt %}}{reply}{{% endif %}}"


CHATML: Final = chat(f"<|im_start|>{ROLE}\n", "<|im_end|>\n", "<|im_start|>assistant\n")
QWEN: Final = {"eos_token": "<|im_end|>", "pad_token": END, "chat_template": CHATML}

# Name -> class, special tokens (they stand first in the vocabulary), what else the class is given.
# Some families have no pad token, some no bos; Llama's and Gemma's templates begin with the bos that the
# tokenizer adds too. All as in the real checkpoints.
KINDS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "gpt2": ("GPT2Tokenizer", END, {}),
    "neox": ("GPTNeoXTokenizer", f"{END} <|padding|>", {}),
    "opt": (
        "GPT2Tokenizer",
        "<s> <pad> </s> <unk>",
        dict.fromkeys(("bos_token", "eos_token", "unk_token"), "</s>")
        | {"pad_token": "<pad>", "add_bos_token": True},
    ),
    "bloom": (
        "PreTrainedTokenizerFast",
        "<unk> <s> </s> <pad>",
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
    ),
    "falcon": ("PreTrainedTokenizerFast", f">>TITLE<< {END}", {"eos_token": END}),
    "llama2": ("LlamaTokenizer", "<unk> <s> </s>", {"add_bos_token": True}),
    "llama3": (
        "PreTrainedTokenizerFast",
        "<|begin_of_text|> <|eot_id|> <|start_header_id|> <|end_header_id|>",
        {
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|eot_id|>",
            "add_bos_token": True,
            "chat_template": chat(
                f"<|start_header_id|>{ROLE}<|end_header_id|>\n\n",
                "<|eot_id|>",
                "<|start_header_id|>assistant<|end_header_id|>\n\n",
                "{{ bos_token }}",
            ),
        },
    ),
    "mistral": (
        "LlamaTokenizer",
        "<unk> <s> </s>",
        {
            "add_bos_token": True,
            "chat_template": chat(
                "{% if m['role'] == 'user' %} [INST] {% endif %}",
                "{% if m['role'] == 'user' %} [/INST]{% else %}</s>{% endif %}",
                "",
                "{{ bos_token }}",
            ),
        },
    ),
    "phi3": (
        "LlamaTokenizer",
        f"<unk> <s> </s> {END} <|user|> <|assistant|> <|end|>",
        {
            "eos_token": END,
            "pad_token": END,
            "chat_template": chat(f"<|{ROLE}|>\n", "<|end|>\n", "<|assistant|>\n"),
        },
    ),
    "qwen2": ("Qwen2Tokenizer", f"{END} <|im_start|> <|im_end|>", QWEN),
    "qwen3_5": ("Qwen3_5Tokenizer", f"{END} <|im_start|> <|im_end|>", QWEN),
    "gemma": (
        "GemmaTokenizer",
        "<pad> <eos> <bos> <unk> <mask> <start_of_turn> <end_of_turn>",
        {
            "add_bos_token": True,
            "chat_template": chat(
                "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n",
                "<end_of_turn>\n",
                "<start_of_turn>model\n",
                "{{ bos_token }}",
            ),
        },
    ),
    "cohere": (
        "CohereTokenizer",
        "<PAD> <UNK> <CLS> <SEP> <MASK_TOKEN> <BOS_TOKEN> <|END_OF_TURN_TOKEN|> <|START_OF_TURN_TOKEN|> "
        "<|USER_TOKEN|> <|CHATBOT_TOKEN|>",
        {
            "add_bos_token": True,
            "chat_template": chat(
                "<|START_OF_TURN_TOKEN|><|{{ 'USER' if m['role'] == 'user' else 'CHATBOT' }}_TOKEN|>",
                "<|END_OF_TURN_TOKEN|>",
                "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
                "{{ bos_token }}",
            ),
        },
    ),
    "olmo2": (
        "PreTrainedTokenizerFast",
        f"{END} <|pad|>",
        {"bos_token": END, "eos_token": END, "pad_token": "<|pad|>"},
    ),
    "granite": (
        "PreTrainedTokenizerFast",
        "<|end_of_text|> <|start_of_role|> <|end_of_role|>",
        dict.fromkeys(("bos_token", "eos_token", "pad_token"), "<|end_of_text|>")
        | {
            "chat_template": chat(
                f"<|start_of_role|>{ROLE}<|end_of_role|>",
                "<|end_of_text|>\n",
                "<|start_of_role|>assistant<|end_of_role|>",
            ),
        },
    ),
    "gpt_oss": (
        "PreTrainedTokenizerFast",
        f"<|startoftext|> {END} <|return|> <|start|> <|message|> <|end|> <|channel|>",
        {
            "bos_token": "<|startoftext|>",
            "eos_token": "<|return|>",
            "pad_token": END,
            "chat_template": chat(f"<|start|>{ROLE}<|message|>", "<|end|>", "<|start|>assistant"),
        },
    ),
    "deepseek": (
        "PreTrainedTokenizerFast",
        "<begin> <end> <User> <Assistant>",
        {
            "bos_token": "<begin>",
            "eos_token": "<end>",
            "pad_token": "<end>",
            "add_bos_token": True,
            "chat_template": chat("<{{ m['role'] | capitalize }}>", "", "<Assistant>", "{{ bos_token }}"),
        },
    ),
    "t5": ("T5Tokenizer", "<pad> </s> <unk>", {"extra_ids": 10}),
}


def words(kind: str, *more: str, **others: Any) -> Any:
    """The tokenizer of a kind in `KINDS`.

    Args:
        more: special tokens it has besides, such as "<image>"; they stand last in the vocabulary.
        others: what its class is given besides, or instead: `pad_token`, `chat_template`, `model_max_length`.
    """
    import transformers

    name, first, given = KINDS[kind]
    settings = {"model_max_length": 128, "clean_up_tokenization_spaces": False} | given | others
    special = first.split()
    if name == "T5Tokenizer":
        sentinels = [f"<extra_id_{at}>" for at in reversed(range(settings["extra_ids"]))]
        scored = [(token, 0.0) for token in special] + [*_unigrams()]
        scored += [(token, 0.0) for token in (*sentinels, *more)]
        return transformers.T5Tokenizer(
            vocab=scored, additional_special_tokens=[*reversed(sentinels), *more], **settings
        )
    pieces, merges = _pairs("\u2581" if name in ("LlamaTokenizer", "GemmaTokenizer") else " ")
    vocabulary = {token: at for at, token in enumerate(dict.fromkeys((*special, *pieces, *more)))}
    named = [token for key, token in settings.items() if key.endswith("_token")]
    settings["additional_special_tokens"] = [token for token in (*special, *more) if token not in named]
    if name == "PreTrainedTokenizerFast":
        return transformers.PreTrainedTokenizerFast(
            tokenizer_object=_byte_level(vocabulary, merges), **settings
        )
    return getattr(transformers, name)(vocab=vocabulary, merges=[*merges], **settings)


def _byte_level(vocabulary: dict[str, int], merges: tuple[tuple[str, str], ...]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[*merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@cache
def _pairs(space: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Pieces and merges of a byte-pair encoder: of bytes, or of letters with the bytes to fall back to."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    if space == " ":
        split: Any = pre_tokenizers.ByteLevel(add_prefix_space=False)
        spare, letters = [], sorted(pre_tokenizers.ByteLevel.alphabet())
    else:
        split = pre_tokenizers.Metaspace(replacement=space)
        spare = [f"<0x{byte:02X}>" for byte in range(256)]
        letters = sorted({*"".join(SENTENCES), space} - {" "})
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split
    trainer = trainers.BpeTrainer(
        vocab_size=len(letters) + MERGES, initial_alphabet=letters, min_frequency=1, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    merges = tuple((left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"])
    return (*spare, *letters, *(left + right for left, right in merges)), merges


@cache
def _unigrams() -> tuple[tuple[str, float], ...]:
    """Pieces and scores of a unigram model that knows every printable letter."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    letters = [*string.ascii_letters, *string.digits, *string.punctuation, "\u2581"]
    trainer = trainers.UnigramTrainer(
        vocab_size=len(letters) + MERGES, initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    return tuple((piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"])
