"""Where in an answer the tokens of a word stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from editkit.plan import Case, PlannedEdit


def starts(tokenizer: Any, tokens: Sequence[int]) -> list[int]:
    """Where each token's text begins in the decoded whole, and where the whole ends."""
    return [
        len(tokenizer.decode(tokens[:count], skip_special_tokens=True)) for count in range(len(tokens) + 1)
    ]


def source_positions(tokenizer: Any, case: Case, edit: PlannedEdit) -> list[int]:
    """The tokens of the first source form in what the unedited model said.

    A rewrite whose source was not said has its first token instead, or the end that stands there: that is
    what has to change.
    """
    bounds = starts(tokenizer, case.said_tokens)
    found = edit.source_pattern.search(tokenizer.decode(case.said_tokens, skip_special_tokens=True))
    if found is None:
        return [0]
    return [
        place
        for place in range(len(case.said_tokens))
        if bounds[place] < found.end() and bounds[place + 1] > found.start()
    ]
