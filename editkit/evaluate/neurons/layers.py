"""Layer distribution: how deep in the model the top neurons sit."""

from __future__ import annotations

from collections import Counter

from editkit.errors import UsageError
from editkit.evaluate.neurons.overlap import top_of
from editkit.neuron import Neurons


def layer_distribution(neurons: Neurons, k: int, n_layers: int) -> tuple[float, ...]:
    """The share of the top k in each layer, `n_layers` of them; experts of a layer count as that layer.

    They sum to 1; all are 0 for an empty ranking.

    Raises:
        UsageError: `k` is below 1, or a neuron's layer is beyond `n_layers`.
    """
    top = top_of(neurons, k)
    counts = Counter(neuron.layer for neuron in top)
    if counts and max(counts) >= n_layers:
        raise UsageError(f"a neuron of layer {max(counts)} in a model with layers 0 to {n_layers - 1}")
    return tuple(counts[layer] / max(1, len(top)) for layer in range(n_layers))
