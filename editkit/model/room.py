"""Whether prompts, their pictures and the answers to them fit into a model's context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from editkit.errors import InputError
from editkit.model.editable import Editable
from editkit.plan import Question


def check_room(
    editable: Editable,
    questions: Sequence[Question],
    inputs: dict[str, Tensor],
    lengths: Sequence[int],
    wanted: int = 0,
) -> None:
    """Compare each input of a padded batch with what the model can take; padding is not counted.

    Args:
        inputs: `input_ids` and `attention_mask` are `[n, n_tokens]`, of the prompts alone.
        lengths: tokens of the continuation that each is given.
        wanted: tokens that an answer may have beyond those.

    Raises:
        InputError: an input is too long: which, how many tokens it has, of how many, and what to do.
    """
    limit, reader = editable.context_length, reader_length(editable)
    for row, question in enumerate(questions):
        ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()]
        if limit is not None:
            if len(ids) > limit:
                raise _too_long(editable, question, ids, limit)
            # Where an encoder reads the prompt, the answer has a sequence of its own, behind one token.
            before = 1 if editable.encoder_decoder else len(ids)
            _check_answer(editable, question, before, lengths[row], wanted, limit)
        if reader is not None and "qformer_attention_mask" in inputs:
            read = int(inputs["qformer_attention_mask"][row].sum())
            if read > reader:
                raise InputError(
                    f"the Q-Former of {editable.name} reads {reader} tokens of a prompt, and one has {read}: "
                    f"shorten it ({_begins(question)})"
                )


def fits(editable: Editable, text: str, wanted: int) -> bool:
    """Whether a model takes a plain text and an answer of so many tokens."""
    limit = editable.context_length
    if limit is None:
        return True
    length = len(editable.tokenizer(text, truncation=False)["input_ids"])
    return length <= limit if editable.encoder_decoder else length + wanted <= limit


def reader_length(editable: Editable) -> int | None:
    """How much of a prompt InstructBLIP's Q-Former reads; None for models without one."""
    config: Any = getattr(editable.model.config, "qformer_config", None)
    return None if config is None else int(config.max_position_embeddings)


def _too_long(editable: Editable, question: Question, ids: Tensor, limit: int) -> InputError:
    token = editable.picture_token
    seen = int((ids == token).sum()) if token is not None else 0
    seen = seen if seen > len(question.images) else 0  # one each where they are not in the sequence
    names = ", ".join(picture.name for picture in question.images)
    of_them = f" ({seen} of them for {names})" if seen else ""
    if seen >= limit:
        advice = "show fewer or smaller pictures"
    else:
        advice = "shorten it or show fewer or smaller pictures" if seen else "shorten it"
    return InputError(
        f"a prompt of {len(ids)} tokens{of_them} does not fit into the {limit} of {editable.name}: {advice} "
        f"({_begins(question)})"
    )


def _check_answer(
    editable: Editable, question: Question, before: int, said: int, wanted: int, limit: int
) -> None:
    left = limit - before - said
    if left < 0:
        raise InputError(
            f"a prompt of {before} tokens and an answer of {said}, {before + said} tokens, do not fit into "
            f"the {limit} of {editable.name}: shorten the prompt ({_begins(question)})"
        )
    if left < wanted:
        raise InputError(
            f"a prompt of {before} tokens leaves {left} of the {limit} of {editable.name} for an answer that "
            f"may have {wanted}: shorten the prompt ({_begins(question)}) or lower max_new_tokens"
        )


def _begins(question: Question) -> str:
    return f"it begins {question.prompt[:40]!r}"
