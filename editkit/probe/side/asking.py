"""An input that is scored anyway, asked in another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from editkit.plan import Case, PlannedEdit
from editkit.probe.questions import question
from editkit.probe.side.given import Given


def asked_anew(
    suite: str, case: Case, prompts: Sequence[str], edits: Sequence[PlannedEdit]
) -> Iterator[Given]:
    """The case's input with each prompt in place of its own.

    Args:
        prompts: `{prompt}` in them stands for the case's own, `{source}` for the word of its first edit.
    """
    source = edits[case.edits[0]].sources[0]
    for prompt in prompts:
        text = prompt.replace("{prompt}", case.question.prompt).replace("{source}", source)
        yield Given(suite, question(text, case.question.images, chat=case.question.chat), case.edits)
