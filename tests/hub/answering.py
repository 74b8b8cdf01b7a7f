"""One request: who asks, for which repository, and how an answer is sent."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.repository import Repository, User

if TYPE_CHECKING:
    from tests.hub.server import Hub

PIECE = 1 << 16


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, message: str, kind: str | None = None) -> None:
        self.code, self.message, self.kind = code, message, kind


class Answering(BaseHTTPRequestHandler):
    """Reads a request and sends an answer; what is asked for is looked up by subclasses."""

    protocol_version = "HTTP/1.1"
    serving: ClassVar[Hub]

    def route(self, method: str, parts: list[str], query: Mapping[str, str]) -> None:
        raise NotImplementedError

    def handle_request(self) -> None:
        address = urlsplit(self.path)
        # A revision such as refs/pr/1 comes with its slashes quoted: parted first, then unquoted.
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.serving.requests.append((self.command, "/" + "/".join(parts), self.headers.get("range")))
        try:
            if self.serving.faults.down:
                raise ConnectionAbortedError
            if self.serving.read_only and self.command not in ("GET", "HEAD"):
                raise Refused(405, "Method Not Allowed")
            self.user  # noqa: B018  # a token that nobody has is refused whatever is asked for
            self.route("GET" if self.command == "HEAD" else self.command, parts, query)
        except Refused as refused:
            self.rest()
            headers = {"X-Error-Message": refused.message}
            if refused.kind is not None:
                headers["X-Error-Code"] = refused.kind
            self.json({"error": refused.message}, refused.code, headers)
        except (ConnectionError, TimeoutError):
            self.hang_up()

    do_GET = do_HEAD = do_POST = do_PUT = handle_request

    @property
    def user(self) -> User | None:
        """None where no token came along."""
        if (given := self.headers.get("authorization")) is None:
            return None
        token = given.removeprefix("Bearer ")
        if token not in self.serving.users:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.serving.users[token]

    def repository(self, name: str, *, write: bool = False, files: bool = False) -> Repository:
        """The repository, if it is there for who asks; a private one is as if it were not.

        Args:
            files: whether what is in its files is asked for, which a gated one keeps.
        """
        user = self.user
        found = self.serving.repositories.get(name)
        own = found is not None and user is not None and found.owner in user.orgs
        if found is None or (found.private and not own):
            code, said = (
                (401, "Invalid username or password.") if user is None else (404, "Repository not found")
            )
            raise Refused(code, said, "RepoNotFound")
        if files and found.gated and not own:
            raise Refused(403 if user else 401, f"Access to model {name} is restricted.", "GatedRepo")
        if write and (user is None or not own or not user.writes):
            raise Refused(403, "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request")
        return found

    def body(self) -> Iterator[bytes]:
        """What was sent, a piece at a time."""
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline().strip() or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = self.left
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionAbortedError
            left -= len(piece)
            self.taken += len(piece)
            yield piece

    taken = 0

    @property
    def left(self) -> int:
        return int(self.headers.get("content-length") or 0) - self.taken

    def rest(self) -> None:
        """Read what was sent, so that the connection can be used again."""
        for _ in self.body():
            pass

    def sent(self) -> Any:
        """What was sent, as JSON."""
        return json.loads(b"".join(self.body()) or b"null")

    def json(self, document: object, code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.answer(
            code, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def answer(
        self, code: int, body: bytes, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.taken = 0

    def hang_up(self) -> None:
        """End the connection at once, as a network does that goes away."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass
