"""A patch from two checkpoints is the patch between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from editkit.checkpoint import Checkpoint
from editkit.errors import ModelError, PatchError
from editkit.events import Noted
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.extraction import extract
from editkit.model.differences import differences
from editkit.model.editable import Editable
from editkit.model.open import open_model
from editkit.patch.difference import compared
from editkit.patch.file import Patch
from editkit.patch.format import Entry
from editkit.patch.rows import widen
from editkit.patch.verify import verify
from editkit.recipe import ModelRef
from tests.families import FAMILIES
from tests.merging import contents

TINY = ("llama", "gpt2", "llava")
OTHERS = ("mixtral", "gpt_oss", "qwen3_moe", "t5")
Opened = Callable[[str], Editable]


@pytest.fixture(scope="module")
def opened(tiny: Callable[..., Editable], tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A model by its family's name, of those that many tests use or of any other."""

    @cache
    def find(name: str) -> Editable:
        if name in TINY:
            return tiny(name)
        folder = tmp_path_factory.mktemp("family") / name
        FAMILIES[name].build(folder)
        return open_model(ModelRef(id=str(folder)))

    return find


def merge(base: Path, patch: Patch, place: Path) -> Path:
    """The base with the patch in its files."""
    shutil.copytree(base, place)
    file = place / "model.safetensors"
    tensors = load_file(file)
    for entry in patch.entries:
        matrix = tensors[entry.tensor] if entry.slab is None else tensors[entry.tensor][entry.slab]
        rows = matrix if entry.orientation == "rows" else matrix.T
        rows[entry.neurons] = torch.from_numpy(widen(entry.edited, entry.dtype).copy()).to(matrix.dtype)
    save_file(tensors, file, {"format": "pt"})
    return place


def said(patch: Patch) -> list[tuple[Any, ...]]:
    names = ("module", "tensor", "layer", "expert", "orientation", "shape", "dtype")
    digests = ("base_digest", "edited_digest")
    return [
        (
            *(getattr(entry, name) for name in (*names, *digests)),
            *(rows.tolist() for rows in (entry.neurons, entry.original, entry.edited)),
        )
        for entry in patch.entries
    ]


@pytest.mark.parametrize("name", [*TINY, *OTHERS])
def test_what_was_merged_is_extracted_and_what_is_reverted_is_the_base(
    name: str, opened: Opened, random_rows: Any, patch_of: Any, tmp_path: Path
) -> None:
    editable = opened(name)
    patch = patch_of(editable, random_rows(editable, 3))
    assert len(patch.entries) == len(editable.w_outs)
    base = Checkpoint.open(editable.folder)
    export_merged(patch, base, tmp_path / "edited")
    found = extract(editable.folder, tmp_path / "edited")
    assert said(found) == said(patch)
    verify(found, base)
    found.save(tmp_path / "p")
    assert Patch.load(tmp_path / "p") == found
    # Merged again it is the same model, and taken out it is the base: file by file, byte by byte.
    export_merged(found, base, tmp_path / "again")
    weights = {path.name for path in editable.folder.glob("*.safetensors")}
    edited, again = contents(tmp_path / "edited"), contents(tmp_path / "again")
    assert weights
    assert {name: edited[name] for name in weights} == {name: again[name] for name in weights}
    export_reverted(tmp_path / "edited", tmp_path / "back")
    export_reverted(tmp_path / "edited", tmp_path / "undone", found)
    assert contents(tmp_path / "back") == contents(editable.folder)
    assert {name: contents(tmp_path / "undone")[name] for name in weights} == {
        name: (editable.folder / name).read_bytes() for name in weights
    }
    assert not extract(editable.folder, tmp_path / "back").entries


@settings(max_examples=15)
@given(
    name=st.sampled_from(["llama", "gpt2", "mixtral", "gpt_oss"]),
    seed=st.integers(0, 999),
    count=st.integers(1, 8),
    still=st.integers(0, 7),
)
def test_rows_that_stay_as_they_are_are_not_extracted(
    name: str,
    seed: int,
    count: int,
    still: int,
    opened: Opened,
    random_rows: Any,
    patch_of: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """extract(base, merge(base, p)) is p's rows that move, whatever else p names."""
    editable = opened(name)
    patch = patch_of(editable, random_rows(editable, seed, count=count))
    idle = [with_idle_row(entry, still % len(entry.neurons)) for entry in patch.entries]
    digests = {entry.tensor: after(Checkpoint.open(editable.folder), idle, entry.tensor) for entry in idle}
    whole = replace(patch, entries=tuple(replace(e, edited_digest=digests[e.tensor]) for e in idle))
    folder = tmp_path_factory.mktemp("idle") / "edited"
    export_merged(whole, Checkpoint.open(editable.folder), folder)
    found = extract(editable.folder, folder)
    moving = [(e.layer, e.expert, n) for e in whole.entries for n, o, r in rows_of(e) if o != r]
    assert [(e.layer, e.expert, n) for e in found.entries for n, _, _ in rows_of(e)] == moving
    assert {(e.layer, e.expert, *row) for e in found.entries for row in rows_of(e)} <= {
        (e.layer, e.expert, *row) for e in whole.entries for row in rows_of(e)
    }
    assert compared(whole, replace(found, base=whole.base)).equal


def with_idle_row(entry: Entry, at: int) -> Entry:
    edited = entry.edited.copy()
    edited[at] = entry.original[at]
    return replace(entry, edited=edited)


def after(base: Checkpoint, entries: list[Entry], tensor: str) -> str:
    return base.digest_with_rows(tensor, *(e.rows("edited") for e in entries if e.tensor == tensor))


def rows_of(entry: Entry) -> list[tuple[int, bytes, bytes]]:
    triples = zip(entry.neurons.tolist(), entry.original, entry.edited, strict=True)
    return [(neuron, before.tobytes(), after.tobytes()) for neuron, before, after in triples]


@settings(max_examples=15)
@given(seed=st.integers(0, 99), layers=st.sets(st.integers(0, 2)), count=st.integers(1, 48))
def test_any_rows(
    seed: int,
    layers: set[int],
    count: int,
    llama: Editable,
    random_rows: Any,
    patch_of: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    patch = patch_of(llama, random_rows(llama, seed, sorted(layers), count))
    edited = merge(llama.folder, patch, tmp_path_factory.mktemp("edited") / "m")
    assert said(extract(llama.folder, edited)) == said(patch)


def test_the_base_is_named_as_in_any_patch(llama: Editable, tmp_path: Path) -> None:
    same = extract(llama.folder, llama.folder)
    checkpoint = Checkpoint.open(llama.folder)
    assert same.entries == ()
    assert (same.base.id, same.base.revision) == (f"sha256:{checkpoint.identity}", None)
    assert (same.base.dtype, same.base.config_digest) == ("float32", checkpoint.config_digest)
    assert (same.provenance.recipe_digest, same.provenance.locate.name) == ("0" * 64, "extracted")


def test_saved_by_transformers_in_many_files(
    llama: Editable, random_rows: Any, patch_of: Any, tmp_path: Path
) -> None:
    from editkit.model.patching import patched

    patch = patch_of(llama, random_rows(llama, 3))
    with patched(llama.model, patch):
        llama.model.save_pretrained(tmp_path / "m", max_shard_size="20KB")
    assert len(list((tmp_path / "m").glob("*.safetensors"))) > 3
    assert said(extract(llama.folder, tmp_path / "m")) == said(patch)


@pytest.fixture
def change(llama: Editable, random_rows: Any, patch_of: Any, tmp_path: Path) -> Callable[..., Path]:
    """`change(lambda tensors: ...)`: a checkpoint with some rows of W_out edited, and what the call does."""
    patch = patch_of(llama, random_rows(llama, 3, [1]))
    folder = merge(llama.folder, patch, tmp_path / "edited")

    def changed(how: Callable[[dict[str, torch.Tensor]], object]) -> Path:
        tensors = load_file(folder / "model.safetensors")
        how(tensors)
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return folder

    return changed


HEAD, W_OUT = "lm_head.weight", "model.layers.1.mlp.down_proj.weight"
OTHER = [
    (lambda tensors: tensors[HEAD].add_(1), f"tensor {HEAD} differs and is no W_out"),
    (lambda tensors: tensors.update({HEAD: tensors[HEAD].half()}), "another dtype or shape"),
    (lambda tensors: tensors.pop(HEAD), f"tensor {HEAD} is missing there"),
    (lambda tensors: tensors.update({"more": tensors[HEAD].clone()}), "only there is tensor more"),
]


@pytest.mark.parametrize(("how", "words"), OTHER)
def test_what_is_no_row_is_refused_or_left_out(
    how: Any, words: str, change: Callable[..., Path], llama: Editable
) -> None:
    edited = change(how)
    with pytest.raises(PatchError, match=words) as caught:
        extract(llama.folder, edited)
    assert "--only-w-out" in str(caught.value)
    told: list[Any] = []
    found = extract(llama.folder, edited, only_w_out=True, tell=told.append)
    assert [entry.tensor for entry in found.entries] == [W_OUT]
    (note,) = [event for event in told if isinstance(event, Noted)]
    assert note.warning
    assert words in note.text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda tensors: tensors.update({W_OUT: tensors[W_OUT].half()}), f"{W_OUT}' has another dtype"),
        (lambda tensors: tensors.pop(W_OUT), f"{W_OUT}' is missing"),
        (lambda tensors: tensors[W_OUT].view(-1)[5:6].fill_(np.nan), "NaN or infinity"),
    ],
)
def test_rows_no_patch_can_hold(how: Any, words: str, change: Callable[..., Path], llama: Editable) -> None:
    edited = change(how)
    for only in (False, True):
        with pytest.raises(PatchError, match=words):
            extract(llama.folder, edited, only_w_out=only)


def test_another_config_is_told(change: Callable[..., Path], llama: Editable) -> None:
    edited = change(lambda tensors: None)
    config = json.loads((edited / "config.json").read_text())
    (edited / "config.json").write_text(
        json.dumps(config | {"rms_norm_eps": 1.0, "transformers_version": "9"})
    )
    told: list[Any] = []
    extract(llama.folder, edited, tell=told.append)
    (note,) = [event for event in told if isinstance(event, Noted)]
    assert note.text.startswith("config.json differs in rms_norm_eps:")
    assert differences(*map(Checkpoint.open, (llama.folder, edited))).config == ("rms_norm_eps",)


def test_no_checkpoint(llama: Editable, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        extract(llama.folder, tmp_path / "nowhere")


def test_weights_and_config_are_enough(
    llama: Editable, random_rows: Any, patch_of: Any, tmp_path: Path
) -> None:
    """As training leaves them: no tokenizer beside them."""
    patch = patch_of(llama, random_rows(llama, 3, [1]))
    edited = merge(llama.folder, patch, tmp_path / "edited")
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(llama.folder / name, bare / name)
    assert said(extract(bare, edited)) == said(patch)
