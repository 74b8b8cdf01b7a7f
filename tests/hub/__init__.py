"""A Hub on this machine: enough of its protocol for the unmodified client to create, upload and download."""

from tests.hub.repository import COMMIT, Repository, User
from tests.hub.server import Hub, hub, loopback
from tests.hub.worker import Answer, Worker

__all__ = ["COMMIT", "Answer", "Hub", "Repository", "User", "Worker", "hub", "loopback"]
