"""Bring what editkit wrote from the Hub into a folder: whole and checked, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from editkit.atomic import new_folder, vacant
from editkit.errors import ModelError, PatchError
from editkit.events import Tell, nobody, stage
from editkit.export.checking import check_folder
from editkit.export.copying import copied
from editkit.export.exported import size_of
from editkit.export.outgoing import CARD, SIGNATURE
from editkit.export.remote import LARGE_BYTES, named, quiet, some
from editkit.model.refusals import asking
from editkit.patch.file import Patch
from editkit.patch.format import SUFFIX
from editkit.patch.manifest import MANIFEST, Kind, Manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

WORKERS: Final = 4


@dataclass(frozen=True)
class Pulled:
    """What was brought.

    Attributes:
        commit: the one that `revision` was.
        kind: as in `editkit.json`; `patch` where there is a patch and no such file.
        notes: what a user should know of it, a sentence each.
    """

    folder: Path
    name: str
    commit: str
    kind: Kind | Literal["patch"]
    n_files: int
    n_bytes: int
    notes: tuple[str, ...] = ()


def pull(
    name: str,
    place: Path,
    *,
    revision: str | None = None,
    replace: bool = False,
    token: str | None = None,
    tell: Tell = nobody,
) -> Pulled:
    """Download a repository that editkit wrote, through the Hub's cache, and check every byte of it.

    Files that it does not say it has, which others put there, are left.

    Args:
        revision: a commit, branch or tag; the main branch where none is given.
        replace: whether a folder that editkit wrote before may go.

    Raises:
        UsageError: no name of a repository.
        ModelError: it can't be had, or is nothing that editkit wrote.
        PatchError: a byte in it is not as its `editkit.json` says.
        OutputError: the place is taken or can't be written.
    """
    vacant(place, replace=MANIFEST if replace else None, hint="name another with -o, or use --force")
    with asking(ModelError, named(name), revision):
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        info = api.model_info(name, revision=revision, files_metadata=True)
        there = {one.rfilename: one.size or 0 for one in info.siblings or ()}
        if info.sha is None:
            raise ValueError("the Hub names no commit of it")
        kind, wanted = _wanted(api, name, info.sha, there)
        files = _downloaded(api, name, info.sha, wanted, there, tell)
    left = tuple(sorted(there.keys() - files.keys() - {".gitattributes"}))
    with new_folder(
        place, sum(there[path] for path in files), replace=MANIFEST if replace else None
    ) as folder:
        _copied(files, folder)
        wrong = _wrong(folder, kind, tell)
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise PatchError(f"{name} at {info.sha[:12]}: is not as editkit wrote it: {wrong[0]}{more}")
        count, size = size_of(folder)
    notes = (f"left out, because editkit did not write it: {some(left)}",) if left else ()
    return Pulled(place, name, info.sha, kind, count, size, notes)


def _wanted(
    api: HfApi, name: str, commit: str, there: Mapping[str, int]
) -> tuple[Kind | Literal["patch"], list[str]]:
    """What kind it is, and which of its files belong to it."""
    if MANIFEST in there:
        manifest = Manifest.read(Path(api.hf_hub_download(name, MANIFEST, revision=commit)).parent)
        known = [MANIFEST, *manifest.files, *(patch for patch, _ in manifest.patches)]
        missing = tuple(path for path in known if path not in there)
        if missing:
            raise PatchError(
                f"{name} at {commit[:12]}: lacks files that its {MANIFEST} names: {some(missing)}"
            )
        return manifest.kind, [*known, *({SIGNATURE} & there.keys())]
    patches = [path for path in there if path.endswith(SUFFIX) and "/" not in path]
    if not patches:
        raise ModelError(f"{name}: holds nothing that editkit wrote: `hf download {name}` gets it")
    return "patch", [*patches, *({CARD} & there.keys())]


def _downloaded(
    api: HfApi, name: str, commit: str, wanted: list[str], there: Mapping[str, int], tell: Tell
) -> dict[str, Path]:
    """Where each file is in the Hub's cache; those that are there from an earlier try are not asked for.

    Small files several at once; large ones from this thread, so that they can be interrupted.
    """
    get = partial(api.hf_hub_download, name, revision=commit)
    small = [path for path in wanted if there[path] < LARGE_BYTES]
    found = {}
    with quiet(), stage(tell, "download", len(wanted)) as advance:
        with ThreadPoolExecutor(WORKERS, "pull") as pool:
            futures = {pool.submit(get, filename=path): path for path in small}
            try:
                for future in as_completed(futures):
                    found[futures[future]] = Path(future.result())
                    advance()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for path in wanted:
            if path not in found:
                found[path] = Path(get(filename=path))
                advance()
    return found


def _copied(files: Mapping[str, Path], folder: Path) -> None:
    for path, cached in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        copied(cached, folder / path)


def _wrong(folder: Path, kind: Kind | Literal["patch"], tell: Tell) -> tuple[str, ...]:
    if kind != "patch":
        return check_folder(folder, None, tell).wrong
    for path in folder.glob(f"*{SUFFIX}"):
        Patch.load(path)
    return ()
