"""A Hub on this machine: enough of its protocol to download files, with every request written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """Where it listens, and what it was asked for: (method, path, range or None)."""

    endpoint: str
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)

    def asked_for(self, ending: str) -> list[tuple[str, str | None]]:
        """(method, range) of every request for files that end so."""
        return [(method, range_) for method, path, range_ in self.requests if path.endswith(ending)]


@contextmanager
def hub(name: str, folder: Path) -> Iterator[Hub]:
    """Serves one model, `org/name`, of a folder's files."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            serving.requests.append((self.command, path, self.headers.get("range")))
            if path.startswith(f"/api/models/{name}/revision/"):
                self._json({"id": name, "sha": COMMIT, "siblings": []})
            elif path.startswith(f"/api/models/{name}/tree/"):
                files = sorted(folder.iterdir())
                self._json(
                    [
                        {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _etag(f)}
                        for f in files
                    ]
                )
            elif path.startswith(f"/{name}/resolve/"):
                self._file(folder / path.rsplit("/", 1)[1])
            else:
                self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})

        do_HEAD = do_GET

        def _json(self, document: object) -> None:
            self._answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

        def _file(self, file: Path) -> None:
            if not file.is_file():
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            size, wanted = file.stat().st_size, self.headers.get("range")
            headers = {"ETag": f'"{_etag(file)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            first, last = 0, size - 1
            if wanted is not None:
                start, end = wanted.removeprefix("bytes=").split("-")
                first, last = int(start), min(int(end or size - 1), size - 1)
                headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            with file.open("rb") as stream:
                stream.seek(first)
                body = b"" if self.command == "HEAD" else stream.read(last - first + 1)
            self._answer(206 if wanted is not None else 200, body, headers, last - first + 1)

        def _answer(self, code: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
            self.send_response(code)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _etag(file: Path) -> str:
    return sha256(f"{file.name}:{file.stat().st_size}".encode()).hexdigest()[:40]
