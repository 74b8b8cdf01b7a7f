"""BLEURT (Sellam et al. 2020): a model trained to judge how well a candidate says what its reference does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from editkit.errors import ModelError
from editkit.evaluate.similarity.measure import Remembered
from editkit.evaluate.similarity.reading import load_judge, load_tokenizer
from editkit.model.files import locate_files
from editkit.recipe import ModelRef

BATCH: Final = 32  # pairs


@dataclass(frozen=True)
class Judge:
    """A regression model and its tokenizer."""

    model: Any
    tokenizer: Any
    name: str


def open_judge(ref: ModelRef) -> Judge:
    """A regression checkpoint: any sequence-classification model with one output.

    Raises:
        ModelError: it is not there, can't be read, or is no regression.
    """
    try:
        folder, _ = locate_files(ref)
        model = load_judge(folder, ref.id)
        tokenizer = load_tokenizer(folder, ref.id, model.config)
    except ModelError as error:
        raise ModelError(f"evaluate.bleurt: {error}") from error
    return Judge(model.to(ref.device), tokenizer, ref.id)


class Bleurt(Remembered):
    """The one output of a regression checkpoint that the user names; its scale is the checkpoint's own.

    It reads the reference first and then the candidate, as BLEURT was trained to.
    """

    asks: ClassVar[Literal["encoder", "bleurt"]] = "bleurt"

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        super().__init__("bleurt", self._judged, judge.name)

    def _judged(self, candidates: list[str], references: list[str]) -> list[float]:
        import torch

        model, tokenizer = self.judge.model, self.judge.tokenizer
        found: list[float] = []
        for start in range(0, len(candidates), BATCH):
            pairs = references[start : start + BATCH], candidates[start : start + BATCH]
            read = tokenizer(*pairs, padding=True, truncation=True, return_tensors="pt").to(model.device)
            with torch.no_grad():
                found += model(**read).logits[:, 0].float().tolist()
        return found
