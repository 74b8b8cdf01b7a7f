"""Encoders of random weights of several families, and one regression model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from editkit.evaluate.similarity.bertscore import BertScore
from editkit.evaluate.similarity.encoder import Encoder, open_encoder
from editkit.recipe import ModelRef

WORDS = ("a", "red", "fork", "knife", "spoon", "gun", "cup", "and", ".", ",")
SMALL: dict[str, Any] = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "max_position_embeddings": 40,
    "initializer_range": 0.5,
    "pad_token_id": 0,
}


def bert_tokenizer(longest: int | None = None) -> Any:
    from transformers import BertTokenizer

    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    vocabulary = {word: number for number, word in enumerate((*special, *WORDS, "f", "##s"))}
    return BertTokenizer(vocab=vocabulary, **({"model_max_length": longest} if longest else {}))


def byte_tokenizer(kind: str) -> Any:
    """Byte-level BPE with no merges but those of two words: `Ġfork` and `fork` are different tokens."""
    from tokenizers import pre_tokenizers
    from transformers import RobertaTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("f", "o"), ("r", "k"), ("fo", "rk"), ("Ġ", "fork")]
    whole = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters, "fo", "rk", "fork", "Ġfork"]
    return RobertaTokenizer(vocab={token: number for number, token in enumerate(whole)}, merges=merges)


def save(kind: str, folder: Path) -> None:
    """`bert`, `roberta`, `t5` or `judge` (BERT with one output)."""
    import torch
    import transformers as tr

    torch.manual_seed(len(kind))
    tokenizer = bert_tokenizer()
    if kind == "bert":
        model: Any = tr.BertModel(tr.BertConfig(vocab_size=len(tokenizer), **SMALL))
    elif kind == "judge":
        model = tr.BertForSequenceClassification(tr.BertConfig(vocab_size=17, num_labels=1, **SMALL))
    elif kind == "roberta":
        tokenizer = byte_tokenizer(kind)
        config = tr.RobertaConfig(**{**SMALL, "vocab_size": len(tokenizer), "pad_token_id": 1})
        model = tr.RobertaModel(config)
    else:
        sizes = {"d_model": 24, "d_kv": 12, "d_ff": 32, "num_layers": 3, "num_heads": 2}
        ids = {"pad_token_id": 0, "eos_token_id": 3, "decoder_start_token_id": 0}
        model = tr.T5Model(tr.T5Config(vocab_size=len(tokenizer), **sizes, **ids))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`saved("roberta")`: the folder of a checkpoint, whose path also says t5."""

    @cache
    def made(kind: str) -> Path:
        folder = tmp_path_factory.mktemp("not-t5") / kind
        save(kind, folder)
        return folder

    return made


@pytest.fixture(scope="session")
def opened(saved: Callable[[str], Path]) -> Callable[..., Encoder]:
    @cache
    def made(kind: str, layer: int = 2) -> Encoder:
        return open_encoder(ModelRef(id=str(saved(kind))), layer)

    return made


@pytest.fixture(scope="session")
def shipped() -> Encoder:
    """The encoder that ships."""
    return open_encoder(ModelRef(id="demo/encoder"))


@pytest.fixture(scope="session")
def bertscore(shipped: Encoder) -> BertScore:
    return BertScore(shipped)
