"""Noise as long as asked for, the same for equal seeds, and in no other row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editkit.delta import Delta
from editkit.errors import UsageError
from editkit.evaluate.noise import noise
from editkit.model.editable import Editable
from editkit.neuron import Neuron, Neurons


def chosen(*items: Neuron) -> Neurons:
    return Neurons(items, (0.0,) * len(items), "listed")


EVERY = chosen(*(Neuron(layer, index) for layer in range(3) for index in range(48)))
SOME = chosen(Neuron(2, 9), Neuron(0, 41), Neuron(2, 3))


def by_neuron(delta: Delta) -> dict[Neuron, np.ndarray]:
    rows = [row for part in delta.layers for row in part.rows]
    return dict(zip(delta.neurons(), rows, strict=True))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_it_is_normal_and_sigma_times_as_long_as_the_row(tiny: Callable[..., Editable], family: str) -> None:
    editable = tiny(family)
    delta = noise(editable, EVERY, sigma=0.7, seed=1)
    ratios = np.concatenate(
        [
            part.rows / editable.row_norms(part.layer)[list(part.neurons)].numpy()[:, None]
            for part in delta.layers
        ]
    )
    assert np.linalg.norm(ratios, axis=1).mean() == pytest.approx(0.7, rel=0.02)
    entries = ratios.ravel() * 32**0.5 / 0.7
    assert entries.mean() == pytest.approx(0.0, abs=0.05)
    assert (entries**2).mean() == pytest.approx(1.0, rel=0.05)
    assert (entries**4).mean() == pytest.approx(3.0, rel=0.1)


@given(seed=st.integers(0, 2**31), sigma=st.floats(0.0, 4.0))
@settings(max_examples=10)
def test_a_neurons_noise_is_its_own_whatever_the_company(llama: Editable, seed: int, sigma: float) -> None:
    whole, few = (by_neuron(noise(llama, who, sigma=sigma, seed=seed)) for who in (EVERY, SOME))
    assert set(few) == set(SOME)
    assert all(np.array_equal(row, whole[neuron]) for neuron, row in few.items())
    twice = by_neuron(noise(llama, SOME, sigma=2 * sigma, seed=seed))
    assert all(np.allclose(twice[neuron], 2 * row, rtol=1e-6) for neuron, row in few.items())


def test_seeds_and_neurons_differ(llama: Editable) -> None:
    one, other = (by_neuron(noise(llama, SOME, sigma=1.0, seed=seed)) for seed in (0, 1))
    drawn = [*one.values(), *other.values()]
    assert len({row.tobytes() for row in drawn}) == 6
    assert not noise(llama, chosen(), sigma=1.0, seed=0).layers


def test_a_neuron_the_model_has_not(llama: Editable) -> None:
    with pytest.raises(UsageError, match=r"no L1\.N48"):
        noise(llama, chosen(Neuron(1, 48)), sigma=1.0, seed=0)
