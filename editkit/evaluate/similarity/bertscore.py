"""BERTScore (Zhang et al. 2020): greedy matching of token vectors, F1, by the bert-score library."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any, ClassVar, Literal

from editkit.evaluate.similarity.encoder import Encoder
from editkit.evaluate.similarity.measure import Remembered


class BertScore(Remembered):
    """BERTScore F1 of one layer of an encoder, without IDF weights and without rescaling by a baseline.

    The library does the scoring. Model and tokenizer are handed to it loaded: it would tell their class from
    letters in their path, and download what is not there. On BERT the figures are those of its own
    `BERTScorer(model_type=..., num_layers=layer)`, except that F1 is 0 where precision or recall is not above
    0: of numbers of both signs a harmonic mean can be anything.
    """

    asks: ClassVar[Literal["encoder", "bleurt"]] = "encoder"

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        super().__init__("bertscore", self._f1, f"{encoder.name}, layer {encoder.layer}")

    def _f1(self, candidates: list[str], references: list[str]) -> list[float]:
        import torch
        from bert_score.utils import bert_cos_score_idf

        silent = {text for text in {*candidates, *references} if not self.encoder.says_something(text)}
        pairs = list(zip(candidates, references, strict=True))
        kept = [pair for pair in pairs if silent.isdisjoint(pair)]
        tokenizer = self.encoder.tokenizer
        weights: defaultdict[int, float] = defaultdict(lambda: 1.0)
        weights.update({token: 0.0 for token in (tokenizer.cls_token_id, tokenizer.sep_token_id) if token})
        figures: Iterator[float] = iter(())
        if kept:
            # Where texts have one special token, the library takes a single word for nothing, and says so.
            with redirect_stderr(io.StringIO()):
                scored = bert_cos_score_idf(
                    _States(self.encoder),
                    [reference for _, reference in kept],
                    [candidate for candidate, _ in kept],
                    tokenizer,
                    weights,
                    device=torch.device("cpu"),
                )
            figures = iter([f1 if min(p, r) > 0 else 0.0 for p, r, f1 in scored.tolist()])
        return [next(figures) if silent.isdisjoint(pair) else 0.0 for pair in pairs]


class _States:
    """An encoder as bert-score calls it: the states it is to compare come first."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def eval(self) -> None:
        """It already is."""

    def parameters(self) -> Iterator[Any]:
        parameters: Iterator[Any] = self.encoder.model.parameters()
        return parameters

    def __call__(self, ids: Any, attention_mask: Any, output_hidden_states: bool) -> tuple[Any]:
        return (self.encoder.states(ids, attention_mask),)
