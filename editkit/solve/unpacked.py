"""What every solver asks of the model before it begins: rows that can be read as they are, and written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from editkit.errors import SolveError
from editkit.neuron import MatrixKey

if TYPE_CHECKING:
    from editkit.model.editable import Editable


def check_unpacked(editable: Editable, matrices: Iterable[MatrixKey]) -> None:
    """Raises:
    SolveError: one of these W_out is packed in 8 or 4 bits.
    """
    from editkit.model.weights import is_packed

    if any(is_packed(editable.w_out(*key).module) for key in matrices):
        raise SolveError(
            "the rows to be edited are packed in 8 or 4 bits: solving wants them as they are, so leave "
            "model.load_in away (dtype bfloat16 and device auto need the least memory)"
        )
