"""What the Hub, or the way to it, refuses: each in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from editkit.errors import EditkitError


def http_error() -> type[Exception]:
    """What the Hub's client raises; which library it comes from depends on the client's version."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # it imports it itself

    found: type[Exception] = HTTPError
    return found


def reason(error: BaseException) -> BaseException:
    """What the client met first, where it raised something more general because of it."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    general = isinstance(error, LocalEntryNotFoundError | RuntimeError)
    return reason(error.__cause__) if general and error.__cause__ is not None else error


def known(error: BaseException, name: str, revision: str | None = None) -> str | None:
    """The sentence for what the Hub itself says of a repository or a token; None where it says neither."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    error = reason(error)
    if isinstance(error, RevisionNotFoundError):
        return f"{name}: has no revision {revision or 'main'} on the Hub"
    if isinstance(error, GatedRepoError):
        return f"{name}: is gated: accept its terms on its page, and `hf auth login` as who did"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"{name}: no such repository on the Hub, or a private one: check the name, and `hf auth login` "
            "with a token that may read it"
        )
    if isinstance(error, LocalTokenNotFoundError):
        return f"{name}: no token is here: `hf auth login`, or set HF_TOKEN"
    if isinstance(error, HfHubHTTPError) and error.response.status_code == 401:
        return f"{name}: the Hub does not know the token: `hf auth login` with another one, or set HF_TOKEN"
    return None


def refusal(error: BaseException, name: str, revision: str | None = None) -> str:
    """The sentence for anything that keeps a repository from being read or written."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    said = known(error, name, revision)
    if said is not None:
        return said
    error = reason(error)
    if isinstance(error, HfHubHTTPError):
        code, said = error.response.status_code, " ".join((error.server_message or "").split())[:150]
        if code == 403:
            why = f" ({said})" if said else ""
            return f"{name}: the token may not do that there{why}: take one that may, or ask its owners"
        if code == 405:
            return f"{name}: this Hub only gives files, and takes none: look at HF_ENDPOINT"
        if code == 412:
            return (
                f"{name}: somebody changed it meanwhile, and nothing was pushed: look at it, then push again"
            )
        return f"{name}: the Hub answered {code} ({said or error.response.reason_phrase}): try again later"
    if isinstance(error, OfflineModeIsEnabled):
        return f"{name}: HF_HUB_OFFLINE is set, so the Hub is not asked: unset it"
    if isinstance(error, http_error() | TimeoutError | ConnectionError):
        return (
            f"{name}: the Hub can't be reached, or the connection broke ({type(error).__name__}): check the "
            "network, then run the same again"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"{name}: {' '.join(str(error).split())[:200]}"


@contextmanager
def asking(kind: type[EditkitError], name: str, revision: str | None = None) -> Iterator[None]:
    """What the Hub's client raises in a block becomes an error of this kind, one sentence long."""
    try:
        yield
    except (http_error(), OSError, ValueError, RuntimeError) as error:
        raise kind(refusal(error, name, revision)) from error
