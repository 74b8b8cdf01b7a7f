from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.evaluate.similarity.bertscore import BertScore
from editkit.evaluate.similarity.encoder import EMBEDDED, Encoder

CANDIDATES = ["a red fork .", "fork", "a knife and a spoon", "gun"]
REFERENCES = ["a fork .", "knife", "a spoon , a knife", "gun"]


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_it_is_what_the_library_says_of_a_model_it_loads_itself(layer: int) -> None:
    from bert_score import BERTScorer

    from editkit.evaluate.similarity.encoder import open_encoder
    from editkit.recipe import ModelRef

    folder = str(EMBEDDED["demo/encoder"])
    *_, expected = BERTScorer(model_type=folder, num_layers=layer).score(CANDIDATES, REFERENCES)
    ours = BertScore(open_encoder(ModelRef(id="demo/encoder"), layer))(CANDIDATES, REFERENCES)
    assert ours == pytest.approx(expected.tolist(), abs=1e-5)


def test_it_stays_between_0_and_1_where_vectors_point_away_from_one_another(bertscore: BertScore) -> None:
    from itertools import product

    from editkit.demo.language import COUNTRIES
    from editkit.demo.world import KINDS

    scored = bertscore(*map(list, zip(*product(COUNTRIES, KINDS), strict=True)))
    assert min(scored) == 0.0
    assert max(scored) < 0.6


@pytest.mark.parametrize("kind", ["bert", "roberta", "t5"])
def test_every_family_is_read_as_what_it_is_whatever_its_path_says(
    kind: str, opened: Callable[..., Encoder], saved: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert "t5" in str(saved(kind))
    score = BertScore(opened(kind))
    same, other = score(["a fork", "fork"], ["a fork", "gun"])
    assert same == pytest.approx(1.0, abs=1e-5)
    assert other < 0.999
    assert capfd.readouterr() == ("", ""), "nothing is said on the screen"


def test_empty_and_silent_texts_score_nothing(opened: Callable[..., Encoder]) -> None:
    silent = "\u200b"  # a space without width: the tokenizer makes nothing of it
    assert not opened("bert").says_something(silent)
    score = BertScore(opened("bert"))
    assert score(["", silent, "fork", silent], ["fork", "fork", silent, silent]) == [0.0] * 4


def test_a_text_too_long_is_cut_off(opened: Callable[..., Encoder]) -> None:
    long = " ".join(["a red fork"] * 40)
    for kind in ("bert", "roberta", "t5"):
        (same,) = BertScore(opened(kind))([f"{long} gun"], [f"{long} knife"])
        assert same == pytest.approx(1.0, abs=1e-5) or kind == "t5"


def test_the_spread_of_the_shipped_encoder(bertscore: BertScore) -> None:
    """The figures of the docs, loosely: what is related is near, what is not is far, case counts nothing."""
    pairs = {
        "same": [("Fork", "fork"), ("GUN", "gun")],
        "number": [("forks", "fork"), ("knives", "knife"), ("bells", "bell")],
        "sort": [("fork", "spoon"), ("knife", "fork"), ("boat", "car"), ("table", "chair")],
        "none": [("fork", "boat"), ("gun", "apple"), ("key", "fish"), ("red", "spoon"), ("assi", "hat")],
    }
    scored = {name: bertscore(*map(list, zip(*some, strict=True))) for name, some in pairs.items()}
    assert min(scored["same"]) == pytest.approx(1.0, abs=1e-5)
    assert min(scored["number"]) > 0.75
    assert 0.6 < min(scored["sort"]) <= max(scored["sort"]) < 0.9
    assert max(scored["none"]) < 0.45
