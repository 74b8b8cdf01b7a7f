"""Noise on chosen rows: what a causal effect is measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from editkit.neuron import Neurons

if TYPE_CHECKING:
    from editkit.delta import Delta
    from editkit.model.editable import Editable

# On the embedded model noise of up to 4 row norms on 5 to 20 rows changes next to no caption, whichever rows,
# and of 32 it takes words away on random rows too. At 16 a concept's top 5 lose its word and few others.
SIGMA: Final = 16.0


def noise(editable: Editable, neurons: Neurons, *, sigma: float = SIGMA, seed: int) -> Delta:
    """Gaussian noise on the W_out rows of some neurons, about `sigma` times as long as each row.

    Every entry has mean 0 and standard deviation `sigma * ||row|| / sqrt(d_model)`. Pan et al. 2024 add
    Gaussian noise to these rows; its size as a share of the row's norm is ours. A neuron gets the same noise
    in whatever company it is, so that tops of several sizes can be compared.

    Args:
        sigma: length of the noise in lengths of the row; 0 is none.

    Raises:
        UsageError: a neuron the model does not have.
    """
    import numpy as np

    from editkit.delta import Delta, LayerDelta

    for neuron in neurons:
        editable.check(neuron)
    parts = []
    for (layer, expert), indices in neurons.by_matrix().items():
        norms = editable.row_norms(layer, expert)[list(indices)].cpu().numpy()
        of_expert = 0 if expert is None else expert + 1
        drawn = np.stack(
            [
                np.random.default_rng([seed, layer, of_expert, index]).standard_normal(editable.d_model)
                for index in indices
            ]
        )
        rows = drawn * (sigma * norms[:, None] / editable.d_model**0.5)
        parts.append(LayerDelta(layer, expert, indices, rows.astype(np.float32)))
    return Delta(tuple(parts))
