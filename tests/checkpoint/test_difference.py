"""Two checkpoints byte by byte: which tensors differ, which neurons moved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from editkit.checkpoint import Checkpoint, tensorfile
from editkit.checkpoint import difference as module
from editkit.checkpoint.difference import compared, moved, same_bytes
from editkit.errors import ModelError

Make = Callable[..., Checkpoint]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    def write(tensors: dict[str, torch.Tensor]) -> Checkpoint:
        folder = tmp_path_factory.mktemp("checkpoint")
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors"
        )
        return Checkpoint.open(folder)

    return write


@given(data=st.data(), piece=st.integers(1, 9), size=st.integers(0, 30))
def test_bytes_are_compared_where_they_are_asked_for(
    data: st.DataObject, piece: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    one, other = folder / "one", folder / "other"
    content = data.draw(st.binary(min_size=size, max_size=size))
    before = data.draw(st.integers(0, 5))
    at = data.draw(st.none() | st.integers(0, size - 1)) if size else None
    changed = bytearray(content)
    if at is not None:
        changed[at] ^= 1
    one.write_bytes(content)
    other.write_bytes(bytes(before) + changed)
    edges = sorted(data.draw(st.lists(st.integers(0, size), max_size=6)))
    spans = [(a, a + before, b - a) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "READ_BYTES", piece)
        inside = at is not None and any(start <= at < start + length for start, _, length in spans)
        assert same_bytes(one, other, spans) is not inside
        with pytest.raises(OSError, match="became shorter"):
            same_bytes(one, one, [(0, 0, size + 1)])


def test_every_tensor_is_told_once(make: Make) -> None:
    tensors = {f"t{at}": torch.randn(3, 4) for at in range(20)}
    one = make(tensors)
    other = make({**{f"a{at}": torch.zeros(at) for at in range(9)}, **tensors, "t7": tensors["t7"] + 1})
    assert dict(compared(one, other, one.tensors)) == {name: name != "t7" for name in tensors}
    assert dict(compared(one, other, ["t7"])) == {"t7": False}


def test_bytes_count_not_numbers(make: Make) -> None:
    one, other = (make({"w": torch.tensor([[value, 1.0]])}) for value in (0.0, -0.0))
    nan = make({"w": torch.tensor([[float("nan"), 1.0]])})
    assert dict(compared(one, other, ["w"])) == {"w": False}
    assert dict(compared(nan, nan, ["w"])) == {"w": True}
    assert moved(one, other, "w", "columns").tolist() == [0]


@given(
    orientation=st.sampled_from(["rows", "columns"]),
    dtype=st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
    sides=st.tuples(st.integers(1, 7), st.integers(1, 5)),
    fused=st.booleans(),
    block=st.sampled_from([1, 16, 1 << 22]),
    data=st.data(),
)
def test_the_neurons_that_moved(
    make: Make,
    orientation: str,
    dtype: torch.dtype,
    sides: tuple[int, int],
    fused: bool,
    block: int,
    data: st.DataObject,
) -> None:
    d_mlp, d_model = sides
    matrix = torch.randn(3, d_mlp, d_model).to(dtype)
    edited = matrix.clone()
    chosen = data.draw(st.sets(st.integers(0, d_mlp - 1)))
    for neuron in chosen:
        edited[1, neuron, data.draw(st.integers(0, d_model - 1))] += 8
    edited[2] += 8  # another expert is another matrix
    stored = [m if orientation == "rows" else m.transpose(1, 2) for m in (matrix, edited)]
    one, other = (make({"w": m if fused else m[1]}) for m in stored)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensorfile, "BLOCK_BYTES", block)
        found = moved(one, other, "w", orientation, 1 if fused else None)  # type: ignore[arg-type]  # drawn
    assert found.dtype == np.int64
    assert found.tolist() == sorted(chosen)


def test_what_has_no_neurons(make: Make) -> None:
    one = make({"w": torch.zeros(2, 3), "v": torch.zeros(3), "i": torch.zeros(2, 3, dtype=torch.int8)})
    for name in ("v", "i", "none"):
        with pytest.raises(ModelError, match=name):
            moved(one, one, name, "rows")


def test_a_file_that_can_not_be_read(make: Make) -> None:
    one, other = make({"w": torch.zeros(2, 3)}), make({"w": torch.ones(2, 3)})
    file = Path(other.tensors["w"].file)
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(ModelError, match=rf"{re.escape(str(file))}: can't be read"):
        dict(compared(one, other, ["w"]))
    with pytest.raises(ModelError, match="can't be read"):
        moved(one, other, "w", "rows")
    file.unlink()
    with pytest.raises(ModelError, match=r"can't be read \(No such file"):
        dict(compared(one, other, ["w"]))
