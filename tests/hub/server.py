"""The Hub that is served: what it holds, who may use it, and every request written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.hub.faults import Faults
from tests.hub.repository import Blob, Repository, User
from tests.hub.writing import Writing


@dataclass
class Hub:
    """Where it listens, and what it was asked for: (method, path, range or None).

    Attributes:
        users: by their tokens.
        large: files outside of git by their SHA-256, uploaded and perhaps not committed.
        read_only: as mirrors are.
    """

    endpoint: str
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    large: dict[str, Blob] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    read_only: bool = False

    def asked_for(self, ending: str) -> list[tuple[str, str | None]]:
        """(method, range) of every request for files that end so."""
        return [(method, range_) for method, path, range_ in self.requests if path.endswith(ending)]


@contextmanager
def loopback() -> Iterator[Hub]:
    """An empty Hub."""

    class Handler(Writing):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.serving = serving = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        serving.faults.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hub(name: str, folder: Path) -> Iterator[Hub]:
    """A Hub with one model, `org/name`, of a folder's files."""
    with loopback() as serving:
        serving.repositories[name] = Repository.of(name, folder)
        yield serving
