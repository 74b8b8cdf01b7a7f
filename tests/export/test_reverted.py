"""Apply, then revert: every file of the base is back, byte by byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from editkit.checkpoint import Checkpoint, Orientation, tensorfile
from editkit.errors import ModelError, OutputError, PatchError
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, Manifest
from tests.merging import contents, patch_on, w_out


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    (folder / "README.md").write_text("# a model")
    (folder / "editkit").mkdir()
    (folder / "editkit" / "notes.txt").write_text("somebody's own")
    (folder / "provenance.json").write_text("{}")
    return folder


def merge(base: Path, patch: Patch, place: Path) -> Path:
    export_merged(patch, Checkpoint.open(base), place)
    return place


def test_apply_then_revert_is_the_identity(base: Path, tmp_path: Path) -> None:
    patch = patch_on(base, w_out(base))
    merged = merge(base, patch, tmp_path / "merged")
    reverted = export_reverted(merged, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(base)
    assert (reverted.patches, reverted.kept) == ((patch.digest,), ())
    assert (reverted.n_files, reverted.n_bytes) == (
        len(contents(base)),
        sum(map(len, contents(base).values())),
    )


SHAPES = st.tuples(st.sampled_from(["rows", "columns"]), st.integers(1, 4), st.integers(2, 9), st.booleans())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=SHAPES,
    dtype=st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
    block=st.sampled_from([1, 60, 1 << 22]),
    data=st.data(),
)
def test_only_the_rows_move_and_they_move_back(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[Orientation, int, int, bool],
    dtype: torch.dtype,
    block: int,
    data: st.DataObject,
) -> None:
    orientation, d_model, d_mlp, fused = shape
    sides = (d_mlp, d_model) if orientation == "rows" else (d_model, d_mlp)
    neurons = tuple(sorted(data.draw(st.sets(st.integers(0, d_mlp - 1), min_size=1))))
    experts = tuple(sorted(data.draw(st.sets(st.integers(0, 2), min_size=1)))) if fused else ()
    folder = tmp_path_factory.mktemp("drawn") / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    tensors = {"a.weight": torch.randn(3, *sides) if fused else torch.randn(sides), "b": torch.randn(5)}
    save_file({name: tensor.to(dtype) for name, tensor in tensors.items()}, folder / "model.safetensors")
    patch = patch_on(folder, ("a.weight",), neurons, orientation=orientation, experts=experts)
    merged, back = folder.with_name("merged"), folder.with_name("back")
    with pytest.MonkeyPatch.context() as context:
        context.setattr(tensorfile, "BLOCK_BYTES", block)
        export_merged(patch, Checkpoint.open(folder), merged)
        for entry in patch.entries:
            rows = Checkpoint.open(merged).read_rows("a.weight", entry.neurons, orientation, entry.slab)
            assert np.array_equal(rows, entry.edited)
            assert Checkpoint.open(merged).digest("a.weight") == entry.edited_digest
        export_reverted(merged, back)
    assert contents(back) == contents(folder)


def test_patches_come_off_in_any_order_that_can_be(base: Path, tmp_path: Path) -> None:
    first = patch_on(base, w_out(base), (1, 5))
    one = merge(base, first, tmp_path / "one")
    beside = patch_on(base, w_out(base), (2, 7), seed=1)
    on_top = patch_on(one, w_out(one), (5, 6), seed=2)
    two, three = merge(one, beside, tmp_path / "two"), merge(one, on_top, tmp_path / "three")

    export_reverted(two, tmp_path / "none")
    assert contents(tmp_path / "none") == contents(base)
    reverted = export_reverted(two, tmp_path / "first", beside)
    assert contents(tmp_path / "first") == contents(one)
    assert reverted.kept == (first.digest,)
    export_reverted(two, tmp_path / "second", first)
    [left] = Manifest.read(tmp_path / "second").patches
    assert left == ("editkit/edit-2.editkit.safetensors", beside.digest)
    export_reverted(tmp_path / "second", tmp_path / "third")
    assert contents(tmp_path / "third") == contents(base)

    export_reverted(three, tmp_path / "fourth", on_top)
    assert contents(tmp_path / "fourth") == contents(one)
    export_reverted(three, tmp_path / "fifth")
    assert contents(tmp_path / "fifth") == contents(base)
    with pytest.raises(PatchError, match="a later patch is on top"):
        export_reverted(three, tmp_path / "sixth", first)
    assert not (tmp_path / "sixth").exists()


def test_any_checkpoint_with_the_rows_in_it(base: Path, tmp_path: Path) -> None:
    patch = patch_on(base, w_out(base))
    merged = merge(base, patch, tmp_path / "merged")
    shutil.rmtree(merged / "editkit")
    (merged / MANIFEST).unlink()
    with pytest.raises(PatchError, match="give the patch that is in it"):
        export_reverted(merged, tmp_path / "back")
    assert not export_reverted(merged, tmp_path / "back", patch).notes
    assert (tmp_path / "back" / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()

    other = merge(merged, patch_on(merged, w_out(merged)[:1], (40,), seed=4), tmp_path / "other")
    shutil.rmtree(other / "editkit")
    (other / MANIFEST).unlink()
    reverted = export_reverted(other, tmp_path / "back2", patch)
    assert [note for note in reverted.notes if "something else changed it too" in note]


def test_what_can_not_be_reverted(base: Path, tmp_path: Path) -> None:
    patch, out = patch_on(base, w_out(base)), tmp_path / "out"
    with pytest.raises(PatchError, match="does not have the patch in it"):
        export_reverted(base, out, patch)
    with pytest.raises(PatchError, match="can't be read"):
        export_reverted(tmp_path / "nowhere", out)
    with pytest.raises(ModelError, match="no such folder"):
        export_reverted(tmp_path / "nowhere", out, patch)
    merged = merge(base, patch, tmp_path / "merged")
    with pytest.raises(OutputError, match="the base's folder"):
        export_reverted(merged, merged)
    text = (merged / MANIFEST).read_text()
    (merged / MANIFEST).write_text(text.replace('"kind": "merged"', '"kind": "lora"'))
    with pytest.raises(PatchError, match="of a lora folder"):
        export_reverted(merged, out)
    (merged / MANIFEST).write_text(text)
    file = merged / "editkit" / "edit.editkit.safetensors"
    patch_on(base, w_out(base), seed=3).save(file)
    with pytest.raises(PatchError, match=r"is not the patch that editkit\.json names"):
        export_reverted(merged, out)
    patch.save(file)
    checkpoint = Checkpoint.open(merged)
    weights = bytearray((merged / "model.safetensors").read_bytes())
    weights[checkpoint.tensor(w_out(merged)[0]).end - 3] ^= 1
    (merged / "model.safetensors").write_bytes(weights)
    with pytest.raises(PatchError, match="was changed by something else too"):
        export_reverted(merged, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "merged"]
