"""A merged folder is the base with other rows: the same model as the patched one, every other byte alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.errors import OutputError, PatchError
from editkit.export.merged import export_merged
from editkit.model.open import open_model
from editkit.model.patching import patched
from editkit.patch.file import Patch
from editkit.patch.manifest import Manifest, digest_of
from editkit.recipe import ModelRef
from tests.families import FAMILIES
from tests.merging import contents, differing, logits, patch_on, w_out

IDS = torch.arange(10, 22)[None]
KINDS = [
    *(
        (family, dtype)
        for family in ("llama", "gpt2", "llava")
        for dtype in ("float32", "bfloat16", "float16")
    ),
    # Fused experts in both orientations, experts with a matrix each, tied heads.
    *((family, "float32") for family in ("gpt_oss", "granitemoe", "mixtral", "qwen3_moe")),
]


@pytest.fixture(params=[None, "20KB"], ids=["single", "sharded"])
def shards(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.fixture
def base(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path, shards: str | None
) -> Callable[[str, str], Path]:
    """A checkpoint of its own, in one file or in several."""

    def make(family: str, dtype: str) -> Path:
        import transformers
        from transformers import AutoConfig

        folder = tmp_path / "bäse of it"
        if family in FAMILIES and family not in ("llama", "gpt2", "llava"):
            FAMILIES[family].build(folder)
        else:
            shutil.copytree(tiny_checkpoint(family, dtype), folder)
        if shards:
            [kind] = AutoConfig.from_pretrained(folder).architectures
            model = getattr(transformers, kind).from_pretrained(folder, dtype="auto")
            (folder / "model.safetensors").unlink()
            model.save_pretrained(folder, max_shard_size=shards)
            assert len(list(folder.glob("*.safetensors"))) > 1
        return folder

    return make


@pytest.mark.parametrize(("family", "dtype"), KINDS)
def test_the_model_is_the_patched_one(
    base: Callable[..., Path],
    family: str,
    dtype: str,
    tmp_path: Path,
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
) -> None:
    folder, out = base(family, dtype), tmp_path / "öut" / "merged"
    before = contents(folder)
    editable = open_model(ModelRef(id=str(folder)))
    patch = patch_of(editable, random_rows(editable, 3))
    exported = export_merged(patch, Checkpoint.open(folder), out)
    merged = open_model(ModelRef(id=str(out)))
    with patched(editable.model, patch):
        for name, weight in editable.model.state_dict().items():
            assert torch.equal(weight, merged.model.state_dict()[name]), name
        wanted = logits(editable.model, IDS)
        editable.model.save_pretrained(tmp_path / "by-hand")
    again = type(editable.model).from_pretrained(tmp_path / "by-hand", dtype="auto")
    assert torch.equal(logits(merged.model, IDS), wanted)
    assert torch.equal(logits(again, IDS), wanted)
    assert not torch.equal(logits(editable.model, IDS), wanted)
    assert differing(folder, out) == {entry.tensor for entry in patch.entries}
    assert contents(folder) == before
    made = contents(out)
    assert made.keys() - before.keys() == {"editkit.json", "editkit/edit.editkit.safetensors"}
    assert {name for name in before if made[name] != before[name]} <= {
        info.file.name for info in Checkpoint.open(folder).tensors.values()
    }
    assert (exported.n_files, exported.n_bytes) == (len(made), sum(map(len, made.values())))


@pytest.fixture
def llama_folder(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    return folder


def test_it_says_what_it_was_made_from(llama_folder: Path, tmp_path: Path) -> None:
    patch = patch_on(llama_folder, w_out(llama_folder))
    export_merged(patch, Checkpoint.open(llama_folder), tmp_path / "out", name="redact")
    manifest = Manifest.read(tmp_path / "out")
    assert (manifest.kind, manifest.base) == ("merged", patch.base)
    assert manifest.patches == (("editkit/redact.editkit.safetensors", patch.digest),)
    assert Patch.load(tmp_path / "out" / "editkit" / "redact.editkit.safetensors") == patch
    files = {"editkit.json", *manifest.files, *(name for name, _ in manifest.patches)}
    assert files == contents(tmp_path / "out").keys()
    for name, file in manifest.files.items():
        assert file.sha256 == digest_of(tmp_path / "out" / name)
        assert file.size == (tmp_path / "out" / name).stat().st_size


def test_large_files_go_without_digests_where_nobody_wants_them(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editkit.export.rewriting.SMALL_BYTES", 20_000)
    patch = patch_on(llama_folder, w_out(llama_folder))
    export_merged(patch, Checkpoint.open(llama_folder), tmp_path / "out", digests=False)
    files = Manifest.read(tmp_path / "out").files
    assert files["model.safetensors"].sha256 is None
    assert files["config.json"].sha256 == digest_of(llama_folder / "config.json")


KEPT = {
    "LICENSE": b"",
    "README.md": b"# a model", "modeling_own.py": b"import os", "tokenizer.model": b"\0sp",
    "chat_template.jinja": b"{{ x }}", "additional_chat_templates/tool.jinja": b"{{ y }}", "vocab.txt": b"a",
    ".gitattributes": b"*.safetensors filter=lfs", "adapter_model.safetensors": b"an adapter of its own",
    "editkit/notes.txt": b"somebody's own folder", "provenance.json": b"{}",
}  # fmt: skip
LEFT = {
    "pytorch_model.bin": b"",
    "pytorch_model.bin.index.json": b"{}", "consolidated.safetensors": b"same",
    "original/consolidated.00.pth": b"pickle", "tf_model.h5": b"h5", "flax_model.msgpack": b"m",
    "model.fp16.safetensors": b"half", "onnx/model.onnx": b"o", "model.gguf": b"g",
    "model.safetensors.index.json": b"of shards that are not read",
}  # fmt: skip
UNSAID = {".git/config": b"", ".cache/huggingface/x.lock": b"", "__pycache__/own.pyc": b""}


def test_what_belongs_to_the_checkpoint_comes_along(llama_folder: Path, tmp_path: Path) -> None:
    before = contents(llama_folder)
    for name, content in (KEPT | LEFT | UNSAID).items():
        (llama_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (llama_folder / name).write_bytes(content)
    (llama_folder / "gone.json").symlink_to("nowhere")
    (llama_folder / "elsewhere").symlink_to(tmp_path)
    patch = patch_on(llama_folder, w_out(llama_folder))
    exported = export_merged(patch, Checkpoint.open(llama_folder), tmp_path / "out")
    made = contents(tmp_path / "out")
    own = {"editkit.json", "editkit/edit.editkit.safetensors"}
    assert made.keys() == before.keys() | KEPT.keys() | own
    assert {name: made[name] for name in KEPT} == KEPT
    [note] = exported.notes
    left = {*LEFT, "gone.json", "elsewhere"}
    assert set(note.partition(": ")[2].split(", ")) == left


def test_links_into_a_cache_become_files_and_the_cache_stays(
    tiny_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    blobs, snapshot = tmp_path / "models--org--own" / "blobs", tmp_path / "models--org--own/snapshots/abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in tiny_checkpoint("llava", "bfloat16").iterdir():
        blob = blobs / sha256(path.read_bytes()).hexdigest()
        shutil.copyfile(path, blob)
        blob.chmod(0o444)
        (snapshot / path.name).symlink_to(f"../../blobs/{blob.name}")
    before = contents(blobs)
    patch = patch_on(snapshot, w_out(snapshot))
    export_merged(patch, Checkpoint.open(snapshot), tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or path.stat().st_mode & 0o200
    assert contents(blobs) == before
    assert differing(snapshot, tmp_path / "out") == set(w_out(snapshot))
    for name, file in Manifest.read(tmp_path / "out").files.items():
        assert file.sha256 == digest_of(tmp_path / "out" / name)


def test_a_merged_folder_is_a_base_too(llama_folder: Path, tmp_path: Path) -> None:
    first = patch_on(llama_folder, w_out(llama_folder), (1, 5))
    # Made on the same base, for other neurons of the same tensors: their order does not matter.
    beside = patch_on(llama_folder, w_out(llama_folder), (2, 7), seed=1)
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    export_merged(first, Checkpoint.open(llama_folder), one)
    on_top = patch_on(one, w_out(one), (5, 6), seed=2)
    export_merged(beside, Checkpoint.open(one), two)
    export_merged(on_top, Checkpoint.open(one), three)
    for patch, folder in ((beside, two), (on_top, three)):
        manifest = Manifest.read(folder)
        assert manifest.base == first.base
        assert dict(manifest.patches) == {
            "editkit/edit.editkit.safetensors": first.digest,
            "editkit/edit-2.editkit.safetensors": patch.digest,
        }
        assert contents(folder).keys() == {*manifest.files, *dict(manifest.patches), "editkit.json"}
    swapped = tmp_path / "swapped"
    export_merged(beside, Checkpoint.open(llama_folder), swapped)
    export_merged(first, Checkpoint.open(swapped), tmp_path / "four")
    assert not differing(two, tmp_path / "four")


def test_a_foreign_manifest_is_not_carried_on(llama_folder: Path, tmp_path: Path) -> None:
    first = patch_on(llama_folder, w_out(llama_folder))
    one = tmp_path / "one"
    export_merged(first, Checkpoint.open(llama_folder), one)
    shutil.copy(llama_folder / "model.safetensors", one)  # its weights are of another model now
    exported = export_merged(first, Checkpoint.open(one), tmp_path / "two")
    assert Manifest.read(tmp_path / "two").patches == (("editkit/edit.editkit.safetensors", first.digest),)
    assert "not what its patches made" in exported.notes[0]
    (one / "editkit.json").write_text("{}")
    exported = export_merged(first, Checkpoint.open(one), tmp_path / "three")
    assert contents(tmp_path / "three") == contents(tmp_path / "two")
    assert "is not carried on" in exported.notes[0]


def test_another_base_is_refused_and_nothing_is_left(llama_folder: Path, tmp_path: Path) -> None:
    tensors, out = w_out(llama_folder), tmp_path / "out"
    patch, checkpoint = patch_on(llama_folder, tensors), Checkpoint.open(llama_folder)
    export_merged(patch, checkpoint, tmp_path / "one")
    with pytest.raises(PatchError, match="already patched"):
        export_merged(patch, Checkpoint.open(tmp_path / "one"), out)
    weights = llama_folder / "model.safetensors"
    info = checkpoint.tensor(tensors[1])
    content = bytearray(weights.read_bytes())
    content[info.end - 3] ^= 1  # not of a neuron in the patch: only the digest of the whole tensor sees it
    weights.write_bytes(content)
    with pytest.raises(PatchError, match="base differs"):
        export_merged(patch, Checkpoint.open(llama_folder), out)
    content[info.start + 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(PatchError, match="base differs"):
        export_merged(patch, Checkpoint.open(llama_folder), out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "one"]


def test_a_patch_that_says_it_becomes_something_else_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    patch = patch_on(llama_folder, w_out(llama_folder))
    lying = replace(patch, entries=tuple(replace(one, edited_digest="f" * 64) for one in patch.entries))
    with pytest.raises(PatchError, match="changed by hand"):
        export_merged(lying, Checkpoint.open(llama_folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_places_that_touch_the_base_are_refused(llama_folder: Path, tmp_path: Path) -> None:
    patch, checkpoint = patch_on(llama_folder, w_out(llama_folder)), Checkpoint.open(llama_folder)
    before = contents(tmp_path)
    (tmp_path / "link").symlink_to(llama_folder)
    for place in (llama_folder, llama_folder / "deep" / "out", tmp_path, tmp_path / "link" / "out"):
        with pytest.raises(OutputError, match="the base's folder"):
            export_merged(patch, checkpoint, place, replace=True)
    with pytest.raises(PatchError, match="no plain name"):
        export_merged(patch, checkpoint, tmp_path / "out", name="../x")
    (tmp_path / "link").unlink()
    assert contents(tmp_path) == before


def test_an_earlier_export_is_replaced_when_asked(llama_folder: Path, tmp_path: Path) -> None:
    checkpoint, out = Checkpoint.open(llama_folder), tmp_path / "out"
    export_merged(patch_on(llama_folder, w_out(llama_folder)), checkpoint, out)
    other = patch_on(llama_folder, w_out(llama_folder), seed=1)
    with pytest.raises(OutputError, match="is there already"):
        export_merged(other, checkpoint, out)
    export_merged(other, checkpoint, out, replace=True)
    assert Manifest.read(out).patches[0][1] == other.digest
    (out / "editkit.json").unlink()
    with pytest.raises(OutputError, match="nothing that editkit wrote"):
        export_merged(other, checkpoint, out, replace=True)


def test_pickles_are_refused_with_what_to_do(tmp_path: Path) -> None:
    from editkit.errors import ModelError

    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match="safe_serialization=True"):
        Checkpoint.open(tmp_path)
