"""What the neurons of routed experts emit: no module is called with it, so it is computed beside the model.

transformers fuses the experts of a layer into one module, which is given hidden states, the chosen experts
and their weights, and dispatches to one of several kernels (`ALL_EXPERTS_FUNCTIONS`) that never show what an
expert emits. The inputs of that module say all: the first half of the expert asked for is computed again,
for the tokens sent to it, whichever kernel runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from editkit.model.weights import weight_of


def emitted(
    module: nn.Module,
    arguments: tuple[Any, ...],
    named: Mapping[str, Any],
    expert: int,
    spots: Tensor | None = None,
) -> Tensor | None:
    """Activations of one expert's neurons times the weight it was chosen with.

    With the router's weight in it, an activation times a row of W_out is what the neuron adds, as for
    every other neuron; it is 0 at tokens that are sent elsewhere.

    Args:
        arguments, named: what the fused module was called with: hidden states `[n_all, d_model]`, chosen
            experts and their weights `[n_all, n_chosen]`.
        spots: positions among the `n_all` that are asked for, int64 `[n]`; all of them without it.

    Returns:
        `[n, d_mlp]`, None where no token asked for was sent to this expert.
    """
    hidden, chosen, weights = (*arguments, *named.values())[:3]
    hidden = hidden.flatten(0, -2)
    chosen, weights = chosen.flatten(0, -2), weights.flatten(0, -2)
    if spots is not None:
        hidden, chosen, weights = hidden[spots], chosen[spots], weights[spots]
    sent = chosen == expert
    tokens = sent.any(-1).nonzero().flatten()
    if not len(tokens):
        return None
    weight = (weights * sent).sum(-1)[tokens]
    values = _first_half(module, hidden[tokens], expert) * weight[:, None].to(hidden.dtype)
    nothing: Tensor = values.new_zeros(len(hidden), values.shape[1])
    return nothing.index_put((tokens,), values)


def _first_half(module: Any, hidden: Tensor, expert: int) -> Tensor:
    """Everything before W_out, `[n, d_model]` -> `[n, d_mlp]`."""
    name = "gate_up_proj" if module.has_gate else "up_proj"
    weight = weight_of(module, name)[expert]
    found = hidden @ (weight if module.is_transposed else weight.T)
    if module.has_bias:
        found = found + weight_of(module, f"{name}_bias")[expert]
    result: Tensor = module._apply_gate(found) if module.has_gate else module.act_fn(found)
    return result
