"""What goes wrong on purpose: each fault happens as often as it says, then never again."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from tests.hub.repository import Repository


class Faults:
    """Set an attribute, and it happens.

    Attributes:
        down: every connection ends without an answer.
        uploads, downloads: how many large files are cut off halfway.
        before_commit: is called once, before the next commit is looked at.
        held: digest of a large file that is sent or asked for, and never answered for; `holding` is set then.
    """

    LARGE = 100_000

    def __init__(self) -> None:
        self.down = False
        self.uploads = 0
        self.downloads = 0
        self.before_commit: Callable[[Repository], object] | None = None
        self.held: str | None = None
        self.holding = Event()
        self.released = Event()

    def cut_upload(self, size: int) -> int | None:
        """After how many bytes the connection ends, None where it doesn't."""
        if not self.uploads:
            return None
        self.uploads -= 1
        return size // 2

    def cut_download(self, size: int) -> int | None:
        if not self.downloads or size < self.LARGE:
            return None
        self.downloads -= 1
        return size // 2

    def hold(self, digest: str) -> None:
        if self.held == digest:
            self.holding.set()
            self.released.wait(60)
            raise ConnectionAbortedError

    def meanwhile(self, repository: Repository) -> None:
        if self.before_commit is not None:
            happens, self.before_commit = self.before_commit, None
            happens(repository)
