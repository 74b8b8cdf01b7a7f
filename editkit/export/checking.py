"""Is every byte of a folder that editkit wrote what it was, and is every part of it what it says it is?"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from editkit.checkpoint import Checkpoint
from editkit.errors import EditkitError, printable
from editkit.events import Tell, nobody, stage
from editkit.export.exported import OTHERS
from editkit.export.fitting import fits_base, fits_digest, fits_edited, fits_original, tensors_of
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, Kind, Manifest, digest_of

# What a folder of a kind can't be without.
NEEDED: Final[dict[Kind, tuple[str, ...]]] = {
    "merged": ("config.json",),
    "lora": ("adapter_config.json", "adapter_model.safetensors"),
    "hub": ("README.md",),
}
Work = tuple[int, Callable[[], str | None]]  # bytes to read, and what looks at them
WORKERS: Final = os.cpu_count() or 1


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        digest: SHA-256 of the folder's `editkit.json`, which names the digests of all else.
        patches: SHA-256 of the patches in it, in the order they were applied.
        n_files, n_bytes: of those the folder has.
        n_tensors: that the patches change.
        wrong: a sentence for each thing that is not as it should be.
        unchecked: files that nothing is known about but their size.
        base: whether the base was looked at as well.
    """

    folder: Path
    kind: Kind
    digest: str
    patches: tuple[str, ...]
    n_files: int
    n_bytes: int
    n_tensors: int
    wrong: tuple[str, ...]
    unchecked: tuple[str, ...]
    base: bool

    @property
    def whole(self) -> bool:
        """Whether every byte was checked, and is right."""
        return not self.wrong and not self.unchecked


def check_folder(folder: Path, base: Checkpoint | None = None, tell: Tell = nobody) -> Checked:
    """Compare every file of an exported folder with its digest, and what the parts say with each other.

    Several threads hash at once, each a file or a tensor.

    Args:
        base: the checkpoint the patches were made on: files whose digest was left out are compared with its
            own, and the tensors that were edited with the patches.

    Raises:
        PatchError: the folder has no `editkit.json`, or one that can't be read.
    """
    manifest = Manifest.read(folder)
    seal = digest_of(folder / MANIFEST)
    found = dict(_files(folder))
    declared = {name: file.size for name, file in manifest.files.items()}
    held = dict(manifest.patches)
    known = declared.keys() | held.keys()
    wrong = [f"{name}: is not one of the folder's files" for name in found.keys() - known]
    wrong += [f"{name}: is missing" for name in known - found.keys()]
    needed = set(NEEDED[manifest.kind]) - known
    wrong += [f"{name}: belongs to any {manifest.kind} folder, and is not among its files" for name in needed]
    patches, ill = _patches(manifest, found)
    wrong += ill
    work: list[Work] = []
    unchecked = []
    for name, file in manifest.files.items():
        if name not in found:
            continue
        size = _size(found[name])
        if size is None:
            wrong.append(f"{name}: is no file")
        elif size != file.size:
            wrong.append(f"{name}: has {size:,} bytes, not {file.size:,}")
        elif file.sha256 is not None:
            work.append((size, partial(fits_digest, name, found[name], file.sha256)))
        elif base is not None and (base.folder / name).is_file():
            work.append((2 * size, partial(fits_original, name, found[name], base, patches)))
        else:
            unchecked.append(name)
    if manifest.kind == "merged":
        try:
            merged = Checkpoint.open(folder)
            work += [(0, partial(fits_edited, merged, tensor, patches)) for tensor in tensors_of(patches)]
        except EditkitError as error:
            wrong.append(str(error))
    if base is not None:
        work += [(0, partial(fits_base, base, tensor, patches)) for tensor in tensors_of(patches)]
        if base.config_digest != manifest.base.config_digest:
            wrong.append(f"{base.folder}: its config.json is not that of the patch's base")
    wrong += _done(work, tell)
    return Checked(
        folder,
        manifest.kind,
        seal,
        tuple(held.values()),
        len(found),
        sum(_size(path) or 0 for path in found.values()),
        len(tensors_of(patches)),
        tuple(sorted(map(printable, wrong))),
        tuple(sorted(map(printable, unchecked))),
        base is not None,
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that is no folder, by its path with forward slashes; what links to a folder is not followed."""
    for where, folders, names in os.walk(folder):
        top = Path(where) == folder
        links = [name for name in folders if Path(where, name).is_symlink()]
        folders[:] = [name for name in folders if name not in links and not (top and name in OTHERS)]
        for name in (*names, *links):
            if not (top and name in (MANIFEST, *OTHERS)):
                path = Path(where, name)
                yield path.relative_to(folder).as_posix(), path


def _size(path: Path) -> int | None:
    """Bytes of a file; None of anything else, which nobody should wait to read from."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _patches(manifest: Manifest, found: dict[str, Path]) -> tuple[list[Patch], list[str]]:
    """The patches that can be read, and what is wrong with those and with others."""
    patches, names, wrong = [], [], []
    if not manifest.patches:
        wrong.append(f"{MANIFEST}: names no patch")
    for name, digest in manifest.patches:
        if name not in found:
            continue
        try:
            patch = Patch.load(found[name])
            # The patch's own digest would be that of what was read, not of what stands there.
            if digest_of(found[name]) != digest:
                wrong.append(f"{name}: its SHA-256 is not the one in {MANIFEST}")
            patches.append(patch)
            names.append(name)
        except (EditkitError, OSError) as error:
            wrong.append(f"{name}: {error}")
    foreign = manifest.foreign([patch.base for patch in patches])
    strangers = [name for name, one in zip(names, foreign, strict=True) if one]
    wrong += [f"{name}: was made on another base than {MANIFEST} says" for name in strangers]
    return patches, wrong


def check_patch(patch: Patch, base: Checkpoint, tell: Tell = nobody) -> tuple[str, ...]:
    """Compare a patch with its base: its rows before, its tensors' digests before and after, its config.

    Returns:
        a sentence for each thing that is not right.

    Raises:
        ModelError: the base can't be read.
    """
    wrong = _done([(0, partial(fits_base, base, tensor, [patch])) for tensor in tensors_of([patch])], tell)
    if base.config_digest != patch.base.config_digest:
        wrong.append(f"{base.folder}: its config.json is not that of the patch's base")
    return tuple(sorted(wrong))


def _done(work: list[Work], tell: Tell) -> list[str]:
    """What is wrong, from several threads; the largest pieces of work are begun first."""
    pool = ThreadPoolExecutor(WORKERS, "check")
    try:
        with stage(tell, "check the files", len(work)) as advance:
            futures = [pool.submit(one) for _, one in sorted(work, key=lambda item: -item[0])]
            wrong = []
            for future in as_completed(futures):
                wrong.append(future.result())
                advance()
    finally:
        pool.shutdown(cancel_futures=True)
    return [sentence for sentence in wrong if sentence is not None]
