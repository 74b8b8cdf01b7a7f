from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.errors import ModelError
from editkit.evaluate.similarity.bleurt import BATCH, Bleurt, open_judge
from editkit.recipe import ModelRef


@pytest.fixture(scope="module")
def score(saved: Callable[[str], Path]) -> Bleurt:
    return Bleurt(open_judge(ModelRef(id=str(saved("judge")))))


def test_it_is_the_one_output_for_reference_and_candidate_in_this_order(score: Bleurt) -> None:
    model, tokenizer = score.judge.model, score.judge.tokenizer
    expected = model(**tokenizer("a red fork .", "fork", return_tensors="pt")).logits.item()
    other = model(**tokenizer("fork", "a red fork .", return_tensors="pt")).logits.item()
    assert score(["fork"], ["a red fork ."]) == pytest.approx([expected], abs=1e-5)
    assert expected != pytest.approx(other, abs=1e-3)


def test_batches_change_no_figure_and_long_texts_are_cut_off(score: Bleurt) -> None:
    texts = [f"{'a ' * count}fork" for count in range(BATCH + 20)]
    together = score(texts, ["a knife"] * len(texts))
    alone = [Bleurt(score.judge)([text], ["a knife"])[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-4)


def test_empty_texts_score_nothing(score: Bleurt) -> None:
    assert score(["", "fork"], ["fork", ""]) == [0.0, 0.0]


def test_what_is_no_regression_is_told_in_a_sentence(saved: Callable[[str], Path], tmp_path: Path) -> None:
    def refusal(folder: Path | str) -> str:
        with pytest.raises(ModelError) as caught:
            open_judge(ModelRef(id=str(folder)))
        return str(caught.value)

    assert "has 2 outputs, and a regression checkpoint has one" in refusal(saved("bert"))
    assert refusal("nobody/nothing").startswith("evaluate.bleurt: nobody/nothing: not a folder here")
    from transformers import BertModel

    model = BertModel.from_pretrained(saved("bert"))
    model.config.num_labels = 1
    model.save_pretrained(tmp_path / "headless")
    assert "its files lack weights that are asked for here: classifier.bias" in refusal(tmp_path / "headless")
