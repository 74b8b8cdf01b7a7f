"""A folder that editkit wrote: no byte of it changes unnoticed, and no file comes or goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editkit.checkpoint import Checkpoint
from editkit.errors import PatchError
from editkit.export.checking import check_folder, check_patch
from editkit.export.folder import export_hub
from editkit.export.lora import export_lora
from editkit.export.merged import export_merged
from editkit.export.reverted import export_reverted
from editkit.model.editable import Editable
from editkit.patch.algebra import inverted
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, File, Manifest, digest_of
from tests.merging import contents, patch_on, w_out

KINDS = ("merged", "lora", "hub")
Made = Callable[..., Path]


@pytest.fixture(scope="module")
def base(llava: Editable) -> Path:
    return Path(llava.folder)


@pytest.fixture(scope="module")
def patch(llava: Editable, random_rows: Any, patch_of: Any) -> Patch:
    bare: Patch = patch_of(llava, random_rows(llava, 1))
    return replace(bare, base=replace(bare.base, id="org/base", revision="0123456789" * 4))


@pytest.fixture
def made(patch: Patch, base: Path, tmp_path: Path) -> Made:
    """`made("lora")`: the patch in this form."""

    def make(kind: str, **options: Any) -> Path:
        place = tmp_path / kind
        if kind == "merged":
            export_merged(patch, Checkpoint.open(base), place, **options)
        else:
            (export_lora if kind == "lora" else export_hub)(patch, base, place)
        return place

    return make


def wrong(folder: Path, base: Path | None = None) -> tuple[str, ...]:
    """What is said to be wrong with a folder; one that is refused as a whole is wrong as well."""
    try:
        return check_folder(folder, None if base is None else Checkpoint.open(base)).wrong
    except PatchError as error:
        return (str(error),)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_right(kind: str, made: Made, base: Path, patch: Patch) -> None:
    folder = made(kind)
    held = contents(folder)
    held.pop(MANIFEST)
    for beside in (None, Checkpoint.open(base)):
        found = check_folder(folder, beside)
        assert found.whole, found.wrong
        assert (found.kind, found.patches, found.base) == (kind, (patch.digest,), beside is not None)
        assert (found.n_files, found.n_bytes) == (len(held), sum(map(len, held.values())))
        assert found.n_tensors == len({entry.tensor for entry in patch.entries})
        assert found.digest == digest_of(folder / MANIFEST)


def places(path: Path, edited: set[str]) -> Iterator[int]:
    """A byte of every kind of place: both ends, headers, tensors, rows that are edited; a whole manifest."""
    size = path.stat().st_size
    if path.name == MANIFEST:
        yield from range(size)
        return
    yield from {0, 1, 7, 8, size // 2, size - 1} & set(range(size))
    if path.suffix == ".safetensors":
        yield from range(9, size, max(1, size // 40))
    if path.name == "model.safetensors":
        for info in Checkpoint.open(path.parent).tensors.values():
            yield info.start
            if info.name in edited:
                yield from range(info.start, info.end, (info.end - info.start) // 5)


@pytest.mark.parametrize("kind", KINDS)
def test_any_byte_that_changed_is_found(kind: str, made: Made, patch: Patch) -> None:
    folder, edited = made(kind), {entry.tensor for entry in patch.entries}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert folder / MANIFEST in files
    for path in files:
        whole = path.read_bytes()
        # Found out before the first byte changes: a damaged header has no tensors.
        for at in list(places(path, edited)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert wrong(folder), f"{path.name}: byte {at}, {whole[max(0, at - 20) : at + 20]!r}"
        for changed in (whole[:-1], whole + b"\n", b""):
            path.write_bytes(changed)
            assert wrong(folder), f"{path.name}: {len(changed)} bytes"
        path.write_bytes(whole)
    assert not wrong(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_come_or_go_are_found(kind: str, made: Made) -> None:
    folder = made(kind)
    names = sorted(contents(folder).keys() - {MANIFEST})
    for name in names:
        (folder / name).rename(folder / "renamed")
        found = wrong(folder)
        assert f"{name}: is missing" in found
        assert "renamed: is not one of the folder's files" in found
        (folder / "renamed").rename(folder / name)
    for extra in ("more.py", ".hidden", "sub/folder/more.bin", f"sub/{MANIFEST}", "sub/model.sig"):
        (folder / extra).parent.mkdir(parents=True, exist_ok=True)
        (folder / extra).touch()
        assert wrong(folder) == (f"{extra}: is not one of the folder's files",)
        (folder / extra).unlink()
    (folder / "out").symlink_to(folder.parent)
    assert wrong(folder) == ("out: is not one of the folder's files",)
    (folder / "out").unlink()
    for others in (".gitattributes", "model.sig", ".cache/huggingface/x", ".git/HEAD"):
        (folder / others).parent.mkdir(parents=True, exist_ok=True)
        (folder / others).write_text("the Hub's, git's, or a signature")
    assert not wrong(folder)


def test_what_the_hub_may_change_is_no_file_of_the_folder(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "base")
    (tmp_path / "base" / ".gitattributes").write_text("*.safetensors filter=lfs")
    patch = patch_on(tmp_path / "base", w_out(tmp_path / "base"))
    export_merged(patch, Checkpoint.open(tmp_path / "base"), tmp_path / "out")
    assert not wrong(tmp_path / "out")
    (tmp_path / "out" / ".gitattributes").write_text("*.json filter=lfs")
    assert not wrong(tmp_path / "out")


def test_what_is_no_file_is_not_waited_for(made: Made) -> None:
    folder = made("lora")
    (folder / "adapter_config.json").unlink()
    os.mkfifo(folder / "adapter_config.json")
    assert wrong(folder) == ("adapter_config.json: is no file",)


def test_links_into_a_cache_are_followed(made: Made, tmp_path: Path) -> None:
    folder = made("merged")
    (tmp_path / "blobs").mkdir()
    for name in contents(folder):
        blob = tmp_path / "blobs" / name.replace("/", "-")
        (folder / name).rename(blob)
        (folder / name).symlink_to(blob)
    assert not wrong(folder)


def resealed(folder: Path, **changed: Any) -> None:
    """Another `editkit.json`, written the way editkit writes one."""
    (folder / MANIFEST).write_text(replace(Manifest.read(folder), **changed).to_json())


def test_a_manifest_that_tells_another_story(made: Made) -> None:
    folder = made("merged")
    manifest = Manifest.read(folder)
    stories: list[tuple[dict[str, Any], str]] = [
        ({"base": replace(manifest.base, id="org/other")}, "was made on another base"),
        ({"base": replace(manifest.base, revision=None)}, "was made on another base"),
        ({"base": replace(manifest.base, dtype="float16")}, "was made on another base"),
        ({"base": replace(manifest.base, config_digest="0" * 64)}, "was made on another base"),
        ({"patches": ()}, "names no patch"),
        ({"patches": manifest.patches * 2}, "names a file outside its folder, or one twice"),
        ({"kind": "lora"}, "belongs to any lora folder"),
        ({"kind": "hub"}, "belongs to any hub folder"),
    ]
    for changed, said in stories:
        resealed(folder, **changed)
        assert any(said in one for one in wrong(folder)), changed
        (folder / MANIFEST).write_text(manifest.to_json())
        assert not wrong(folder)


def test_weights_that_were_changed_together_with_their_digest(made: Made, patch: Patch, base: Path) -> None:
    folder = made("merged")
    file, checkpoint, seal = (
        folder / "model.safetensors",
        Checkpoint.open(folder),
        check_folder(folder).digest,
    )
    whole = file.read_bytes()

    def forge(tensor: str) -> None:
        changed = bytearray(whole)
        changed[checkpoint.tensors[tensor].start] ^= 1
        file.write_bytes(changed)
        files = {**Manifest.read(folder).files, file.name: File(len(changed), digest_of(file))}
        resealed(folder, files=files)

    for tensor in {entry.tensor for entry in patch.entries}:
        forge(tensor)
        assert wrong(folder) == (f"tensor {tensor!r}: is not what the patch makes of it",)
    forge(next(name for name in checkpoint.tensors if name.endswith("lm_head.weight")))
    # Nothing in the folder contradicts it; but it goes by another name now.
    assert not wrong(folder)
    assert check_folder(folder).digest != seal


def test_files_without_a_digest(made: Made, patch: Patch, base: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("editkit.export.rewriting.SMALL_BYTES", 0)
    folder = made("merged", digests=False)
    names = sorted(name for name, file in Manifest.read(folder).files.items() if file.sha256 is None)
    assert "model.safetensors" in names
    found = check_folder(folder)
    assert (found.wrong, found.whole, sorted(found.unchecked)) == ((), False, names)
    assert check_folder(folder, Checkpoint.open(base)).whole
    edited = {entry.tensor for entry in patch.entries}
    for path in [folder / name for name in names]:
        whole = path.read_bytes()
        for at in list(places(path, edited)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert wrong(folder, base), f"{path.name}: byte {at}"
        path.write_bytes(whole)


def test_a_file_that_the_base_has_not(made: Made, base: Path, tmp_path: Path) -> None:
    folder = made("lora")
    (folder / "notes.txt").write_text("mine")
    resealed(folder, files={**Manifest.read(folder).files, "notes.txt": File(4, None)})
    found = check_folder(folder, Checkpoint.open(base))
    assert (found.wrong, found.unchecked, found.whole) == ((), ("notes.txt",), False)


def test_another_base(made: Made, base: Path, patch: Patch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(base, other)
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    assert [one.partition(": ")[2] for one in wrong(made("lora"), other)] == [
        "its config.json is not that of the patch's base"
    ]
    assert check_patch(patch, Checkpoint.open(other)) != ()
    shutil.rmtree(tmp_path / "lora")
    tensor = patch.entries[0].tensor
    info = Checkpoint.open(other).tensors[tensor]
    changed = bytearray((other / "model.safetensors").read_bytes())
    changed[info.start] ^= 1
    (other / "model.safetensors").write_bytes(changed)
    shutil.copyfile(base / "config.json", other / "config.json")
    said = f"base differs: tensor {tensor!r} of {other} is not what the patch was made on"
    assert wrong(made("lora"), other) == (said,)
    assert check_patch(patch, Checkpoint.open(other)) == (said,)


def test_a_patch_whose_rows_contradict_its_digests(patch: Patch, base: Path) -> None:
    checkpoint, first = Checkpoint.open(base), patch.entries[0]
    assert check_patch(patch, checkpoint) == ()
    for field, said in (("original", "rows before are not the base's"), ("edited", "rows after do not give")):
        bits = getattr(first, field).copy()
        bits[0, 0] ^= 1
        forged = replace(patch, entries=(replace(first, **{field: bits}), *patch.entries[1:]))
        (found,) = check_patch(forged, checkpoint)
        assert said in found
    # A patch that is in the base already is not made on it.
    assert len(check_patch(inverted(patch), checkpoint)) == len({entry.tensor for entry in patch.entries})
    strange = replace(patch, entries=(replace(first, tensor="elsewhere"),))
    assert "has no tensor 'elsewhere'" in check_patch(strange, checkpoint)[0]


def test_several_patches_one_on_top_of_another(base: Path, patch: Patch, made: Made, tmp_path: Path) -> None:
    """One was made on a Hub model, the other on the folder with the first in it, which has no public name."""
    first = made("merged")
    shared = patch.entries[0].neurons.tolist()[0]
    second = patch_on(first, w_out(first), (shared,), seed=7)
    assert second.base.id != patch.base.id
    export_merged(second, Checkpoint.open(first), tmp_path / "both")
    found = check_folder(tmp_path / "both", Checkpoint.open(base))
    assert found.whole, found.wrong
    assert found.patches == (patch.digest, second.digest)
    export_reverted(tmp_path / "both", tmp_path / "one", second)
    assert check_folder(tmp_path / "one", Checkpoint.open(base)).whole
    with pytest.raises(PatchError, match="a later patch is on top"):
        export_reverted(tmp_path / "both", tmp_path / "other", patch)


def test_the_lower_of_two_disjoint_patches_goes(base: Path, patch: Patch, made: Made, tmp_path: Path) -> None:
    first = made("merged")
    free = tuple(sorted(set(range(48)) - {n for e in patch.entries for n in e.neurons.tolist()}))[:2]
    second = patch_on(first, w_out(first), free, seed=7)
    export_merged(second, Checkpoint.open(first), tmp_path / "both")
    export_reverted(tmp_path / "both", tmp_path / "upper", patch)
    found = check_folder(tmp_path / "upper")
    assert found.patches == (second.digest,)
    assert Manifest.read(tmp_path / "upper").base == second.base
