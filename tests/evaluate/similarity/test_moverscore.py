from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from editkit.evaluate.similarity.encoder import Encoder
from editkit.evaluate.similarity.moverscore import MoverScore
from tests.evaluate.similarity.conftest import WORDS

TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def score(opened: Callable[..., Encoder]) -> MoverScore:
    return MoverScore(opened("bert"))


def reference(encoder: Encoder, one: str, other: str) -> float:
    """The same from scratch: states of transformers' own call, distances by torch, scipy's dual problem."""
    places = []
    for text in (one, other):
        read = encoder.tokenizer(text, return_tensors="pt")
        states = encoder.model(**read, output_hidden_states=True).hidden_states[encoder.layer][0, 1:-1]
        places.append(states / states.norm(dim=-1, keepdim=True))
    costs = torch.cdist(*places, compute_mode="donot_use_mm_for_euclid_dist").double().numpy()
    n, m = costs.shape
    below = np.hstack([np.repeat(np.eye(n), m, axis=0), np.tile(np.eye(m), (n, 1))])
    masses = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return 1.0 + float(linprog(-masses, A_ub=below, b_ub=costs.ravel(), bounds=(None, None)).fun) / 2


@given(TEXTS, TEXTS)
def test_it_is_the_dual_optimum_that_scipy_finds(score: MoverScore, one: str, other: str) -> None:
    assert score([one], [other])[0] == pytest.approx(reference(score.encoder, one, other), abs=1e-5)


@given(TEXTS, TEXTS)
def test_it_is_symmetric_bounded_and_1_for_the_same(score: MoverScore, one: str, other: str) -> None:
    there, back = score([one, other], [other, one])
    assert there == pytest.approx(back, abs=1e-6)
    assert -1e-6 <= there <= 1 + 1e-6
    assert score([one], [one])[0] == pytest.approx(1.0, abs=1e-5)


def test_weights_take_a_token_out_of_the_account(opened: Callable[..., Encoder]) -> None:
    encoder = opened("bert")
    _, cup, *_ = encoder.tokens("cup fork")
    weighed = MoverScore(encoder, {cup: 0.0})
    plain = MoverScore(encoder)
    one, other = "cup fork", "knife gun"
    assert weighed([one], [other]) != pytest.approx(plain([one], [other]), abs=1e-3)
    assert MoverScore(encoder, {cup: 1.0})([one], [other]) == plain([one], [other])
    only = MoverScore(encoder, {cup: 0.0})(["cup"], ["gun"])
    assert only == plain(["cup"], ["gun"]), "where all weights are 0, all tokens weigh the same"


def test_texts_without_a_token_score_nothing(score: MoverScore) -> None:
    assert score(["\u200b", "", "fork"], ["fork", "fork", "\u200b"]) == [0.0, 0.0, 0.0]


def test_other_families_are_read_too(opened: Callable[..., Encoder]) -> None:
    for kind in ("roberta", "t5"):
        same, other = MoverScore(opened(kind))(["a fork", "fork"], ["a fork", "gun"])
        assert same == pytest.approx(1.0, abs=1e-5)
        assert other < 0.99


def test_related_words_are_nearer_in_the_shipped_encoder(shipped: Encoder) -> None:
    near, far = MoverScore(shipped)(["fork", "fork"], ["spoon", "boat"])
    assert near > far + 0.15
