"""What is about to leave this machine: looked at before a byte of it does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from editkit.checkpoint.strict import strict_json
from editkit.errors import ModelError, OutputError, PatchError
from editkit.events import Noted, Tell, nobody
from editkit.export.card import card
from editkit.export.checking import check_folder
from editkit.export.exported import OTHERS
from editkit.export.hidden import hidden
from editkit.export.leaks import leaks, leaks_of
from editkit.export.origin import origin
from editkit.export.scan import Found, scan
from editkit.model.files import base_folder
from editkit.patch.file import Patch
from editkit.patch.format import LOCAL_PATH, SUFFIX
from editkit.patch.manifest import Kind, Manifest
from editkit.recipe import Recipe

SIGNATURE: Final = "model.sig"
ADAPTER: Final = "adapter_config.json"
CARD: Final = "README.md"
SHOWN: Final = 5


@dataclass(frozen=True)
class Outgoing:
    """Files that may be published.

    Attributes:
        kind: of a folder as in its `editkit.json`; `patch` is a patch file and nothing else.
        files: path in the repository, with forward slashes -> where it is.
        digests: path -> SHA-256, of those that were checked.
        patch: SHA-256 of the first patch.
    """

    kind: Kind | Literal["patch"]
    files: Mapping[str, Path]
    digests: Mapping[str, str]
    patch: str

    @property
    def n_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())


@contextmanager
def outgoing(
    place: Path,
    *,
    allow_rejected: bool = False,
    words: Sequence[str] = (),
    recipe: Recipe | None = None,
    base: Path | None = None,
    tell: Tell = nobody,
) -> Iterator[Outgoing]:
    """The files of a folder that editkit wrote, or of one patch, with a model card where its base is here.

    Args:
        words: that must not be in any file, beside those that the patches or `recipe` want hidden.
        base: the base's folder: words in files that it has too are exempt; looked for where it is not given.

    Raises:
        PatchError: no patch and no folder of editkit's; a byte that changed; a rejected edit; a word that
            must not be published.
        OutputError: a file can't be read.
    """
    if place.is_dir():
        yield _folder(place, allow_rejected, words, recipe, base, tell)
        return
    patch = Patch.load(place)
    _accepted(place, patch, allow_rejected)
    if not place.name.endswith(SUFFIX):
        raise PatchError(f"{place}: a patch is known by its name: call it {place.stem}{SUFFIX}")
    with tempfile.TemporaryDirectory(prefix="editkit-push-") as temporary:
        folder = Path(temporary)
        shutil.copyfile(place, folder / place.name)
        secret = hidden(patch, recipe)
        if secret.blind:
            raise PatchError(
                f"{place}: its words are hidden, and nothing here says what they are: give the recipe it was "
                "made from with --recipe"
            )
        base = base or _here(patch)
        if base is None:
            tell(Noted(f"no model card goes with {place.name}: its base is not here, and --base names none"))
        else:
            text = card(patch, origin(base), secret, form="patch", patch_file=place.name, recipe=recipe)
            (folder / CARD).write_text(text, encoding="utf-8")
        found = leaks_of(folder, patch, secret, base=base, tell=tell)
        _silent(place, found + _told(folder, words, base, tell), base)
        yield Outgoing("patch", _files(folder), {place.name: patch.digest}, patch.digest)


def _folder(
    folder: Path,
    allow_rejected: bool,
    words: Sequence[str],
    recipe: Recipe | None,
    base: Path | None,
    tell: Tell,
) -> Outgoing:
    manifest = Manifest.read(folder)
    patches = [Patch.load(folder / name) for name, _ in manifest.patches]
    for patch in patches:
        _accepted(folder, patch, allow_rejected)
    wrong = check_folder(folder, None, tell).wrong
    if wrong:
        more = f" (and {len(wrong) - 1} more: `editkit verify {folder}`)" if len(wrong) > 1 else ""
        raise PatchError(f"{folder}: is not as it was written: {wrong[0]}{more}")
    _named(folder)
    if not patches:
        raise PatchError(f"{folder}: has no patch in it, so nothing tells what was edited")
    base = base or _here(patches[0])
    found = leaks(folder, recipe=recipe, base=base, tell=tell)
    _silent(folder, found + _told(folder, words, base, tell), base)
    digests = {name: file.sha256 for name, file in manifest.files.items() if file.sha256 is not None}
    return Outgoing(manifest.kind, _files(folder), digests | dict(manifest.patches), manifest.patches[0][1])


def _named(folder: Path) -> None:
    """An adapter may call its base by a folder of this machine, which is of no use to others."""
    try:
        config = strict_json((folder / ADAPTER).read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise PatchError(f"{folder}: its {ADAPTER} can't be read") from error
    base = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if isinstance(base, str) and (LOCAL_PATH.match(base) or Path(base).is_dir()):
        raise PatchError(
            f"{folder}: its {ADAPTER} calls the base by a folder of this machine: export it again, with "
            "--base-name and the base's name on the Hub"
        )


def _accepted(place: Path, patch: Patch, allow_rejected: bool) -> None:
    if patch.provenance.accepted is False and not allow_rejected:
        raise PatchError(
            f"{place}: the edit did not meet its goals (`editkit show` has the scores): --allow-rejected "
            "pushes it all the same"
        )


def _here(patch: Patch) -> Path | None:
    try:
        return base_folder(patch.base)
    except ModelError:
        return None


def _told(folder: Path, words: Sequence[str], base: Path | None, tell: Tell) -> tuple[Found, ...]:
    """Words that the caller names, looked for on their own: they are counted by themselves."""
    return scan(folder, words=words, base=base, tell=tell) if words else ()


def _silent(place: Path, found: Sequence[Found], base: Path | None) -> None:
    if found:
        shown = "; ".join(map(str, found[:SHOWN])) + ("; ..." if len(found) > SHOWN else "")
        hint = "" if base is not None else "; words in the base's own files don't count where --base names it"
        raise PatchError(
            f"{place}: words that must not be published are in {len(found)} places: {shown}{hint}"
        )


def _files(folder: Path) -> dict[str, Path]:
    """All files but what git and the Hub's client put there."""
    kept = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        top = name.partition("/")[0]
        if path.is_file() and (top not in OTHERS or name == SIGNATURE):
            kept[name] = path
    if not kept:
        raise OutputError(f"{folder}: nothing is in it")
    return kept
