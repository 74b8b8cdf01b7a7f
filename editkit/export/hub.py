"""Push to the Hub what editkit wrote, in one commit or not at all; pull it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from editkit.errors import OutputError, UsageError
from editkit.events import Noted, Tell, nobody, stage
from editkit.export.outgoing import Outgoing, outgoing
from editkit.export.pulled import Pulled, pull
from editkit.export.remote import LARGE_BYTES, Change, Remote, created, named, quiet, warned
from editkit.model.refusals import asking
from editkit.recipe import Recipe

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

__all__ = ["Pulled", "Pushed", "pull", "push"]


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        commit: its hash; where nothing was to be changed, that of the commit which is there.
        url: of the commit; pr_url: of the pull request.
        created: whether the repository is new.
    """

    name: str
    commit: str
    url: str
    pr_url: str | None
    created: bool
    change: Change
    n_files: int
    n_bytes: int


def push(
    place: Path,
    name: str,
    *,
    private: bool = False,
    create_pr: bool = False,
    revision: str | None = None,
    message: str | None = None,
    allow_rejected: bool = False,
    words: Sequence[str] = (),
    recipe: Recipe | None = None,
    base: Path | None = None,
    token: str | None = None,
    tell: Tell = nobody,
) -> Pushed:
    """Upload a folder that editkit wrote, or a patch file, to `org/name`, which is made if need be.

    Everything is checked before the Hub is asked for anything. Large files go first, and those that came
    through before an interruption are not sent again; then one commit brings all of them, or none if somebody
    else committed since.

    Args:
        private: of a new repository.
        create_pr: open a pull request instead.
        revision: a branch, made from the main one if need be.
        words, recipe, base: see `outgoing`.

    Raises:
        PatchError: see `outgoing`.
        UsageError: no name of a repository, or options that exclude each other.
        OutputError: the Hub can't be reached, or does not take it; nothing is pushed.
    """
    if create_pr and revision is not None:
        raise UsageError(
            "a pull request is made against the main branch: leave out the revision, or create_pr"
        )
    name = named(name)
    with (
        outgoing(
            place, allow_rejected=allow_rejected, words=words, recipe=recipe, base=base, tell=tell
        ) as out,
        asking(OutputError, name, revision),
        quiet(),
    ):
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        api.whoami()
        remote, new = _opened(api, name, private, create_pr, revision)
        change = remote.change(api, out)
        if not new:
            tell(Noted(f"{name} is there already: the push {change}"))
        if change.nothing:
            url = f"{api.endpoint}/{name}/commit/{remote.commit}"
            return Pushed(name, remote.commit, url, None, False, change, len(out.files), out.n_bytes)
        message = message or f"Add edit {out.patch[:12]} ({out.kind})"
        made = _committed(api, remote, out, change, message, create_pr, revision, tell)
        return Pushed(name, made[0], made[1], made[2], new, change, len(out.files), out.n_bytes)


def _opened(
    api: HfApi, name: str, private: bool, create_pr: bool, revision: str | None
) -> tuple[Remote, bool]:
    """The repository as it is now, and whether it was just made."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        remote, new = Remote.read(api, name, None), False
    except RepositoryNotFoundError:
        if create_pr:
            raise
        created(api, name, private=private)
        remote, new = Remote.read(api, name, None), True
    if private and not remote.private:
        raise OutputError(f"{name}: is there already and public: make it private in its settings, then push")
    branch = True
    if revision is not None:
        try:
            remote = Remote.read(api, name, revision)
        except RevisionNotFoundError:
            branch = False
    if not (remote.ours or create_pr):
        raise OutputError(
            f"{name}: is there already, and holds nothing that editkit wrote: name another repository, or "
            "open a pull request with --create-pr"
        )
    if revision is not None and not branch:
        api.create_branch(name, branch=revision, revision=remote.commit)
    return remote, new


def _committed(
    api: HfApi,
    remote: Remote,
    out: Outgoing,
    change: Change,
    message: str,
    create_pr: bool,
    revision: str | None,
    tell: Tell,
) -> tuple[str, str, str | None]:
    """Hash and address of one commit with all files, and the address of the pull request."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    changed = {*change.added, *change.replaced}
    additions = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=out.files[path])
        for path in sorted(out.files)
        if path in changed
    ]
    batches = list(_batches(additions))
    with stage(tell, "upload", len(additions)) as advance:
        for batch in batches:
            api.preupload_lfs_files(
                remote.name, batch, revision=revision, create_pr=create_pr, free_memory=False
            )
            for one in batch:
                known = out.digests.get(one.path_in_repo)
                if known is not None and one.upload_info.sha256.hex() != known:
                    raise OutputError(
                        f"{one.path_in_repo}: was changed while it was pushed; nothing is committed"
                    )
            advance(len(batch))
    # Not upload_folder: with hf_xet it makes several commits of a large folder.
    with stage(tell, "commit"), warned(tell):
        made = api.create_commit(
            remote.name,
            [*(CommitOperationDelete(path_in_repo=path) for path in change.removed), *additions],
            commit_message=message,
            revision=revision,
            create_pr=create_pr,
            parent_commit=remote.commit,
        )
    return made.oid, made.commit_url, made.pr_url


def _batches(additions: Sequence[CommitOperationAdd]) -> Iterator[list[CommitOperationAdd]]:
    """The small files together, each large one by itself."""
    small = [one for one in additions if one.upload_info.size < LARGE_BYTES]
    if small:
        yield small
    yield from ([one] for one in additions if one.upload_info.size >= LARGE_BYTES)
