"""The table of tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from editkit.figures.decoded import decoded
from editkit.neuron import Neurons


def test_each_neuron_has_a_row_of_its_name_score_and_tokens(
    neurons: Neurons, drawn: Callable[[Figure], bytes], words: Callable[[Figure], str]
) -> None:
    tokens = [(" gun", "$"), ("\n", "\u4e2d\u6587"), ("\U0001f98a",)]
    figure = decoded(neurons, tokens, "gun")
    written = set(words(figure).split("\n"))
    assert {"L1.N4", "L0.N2", "3", "0.5", "gun", r"\$", r"\n", r"\u4e2d\u6587", "token 2"} <= written
    assert drawn(figure)


def test_as_many_rows_of_tokens_as_neurons(neurons: Neurons) -> None:
    with pytest.raises(ValueError, match="shorter"):
        decoded(neurons, [("gun",)])


def test_no_neurons_make_a_heading(drawn: Callable[[Figure], bytes]) -> None:
    assert drawn(decoded(Neurons((), (), "random"), ()))
