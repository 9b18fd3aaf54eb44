"""A scripted Docker daemon on a unix socket: it builds nothing and notes what it was asked."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.answering import answer_json

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = dict[str, Any]
LABEL = "orka.twin=true"
LOCAL_ID = f"sha256:{'1' * 64}"
DIGEST = f"sha256:{'2' * 64}"


@dataclass
class Asked:
    """One build or push: `logins` as the daemon would use them, `files` as they were sent."""

    path: str
    params: dict[str, str]
    logins: dict[str, Any]
    files: dict[str, bytes]

    @property
    def what(self) -> str:
        """`build` or `push`."""
        return self.path.rpartition("/")[2]


@dataclass
class FakeDocker:
    """What the daemon says.

    Attributes:
        build: the lines of a build's output.
        push: the lines of a push's output.
        quiet: what (`build` or `push`) says no more after its lines and stays, until the client hangs up.
        breaks: what ends after its lines as if the daemon had died.
        together: where all builds wait for each other.
        refuses: HTTP code and message for every build.

    """

    labels: list[str] = field(default_factory=lambda: [LABEL])
    build: list[Line] = field(default_factory=lambda: [{"aux": {"ID": LOCAL_ID}}])
    push: list[Line] = field(default_factory=lambda: [{"aux": {"Digest": DIGEST}}])
    quiet: str = ""
    breaks: str = ""
    together: threading.Barrier | None = None
    refuses: tuple[int, str] | None = None
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    working: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def reset(self) -> None:
        """Forget what was asked."""
        self.connections, self.asked = 0, []


class _Handler(BaseHTTPRequestHandler):
    docker: FakeDocker
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/version":
            self.docker.connections += 1
            answer_json(self, 200, {"ApiVersion": "1.41"})
        else:
            answer_json(self, 200, {"Labels": self.docker.labels})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = self._asked(sent)
        self.docker.asked.append(asked)
        if self.docker.refuses and asked.what == "build":
            answer_json(self, self.docker.refuses[0], {"message": self.docker.refuses[1]})
            return
        if self.docker.together and asked.what == "build":
            self.docker.together.wait(timeout=10)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in self.docker.build if asked.what == "build" else self.docker.push:
            self._chunk(json.dumps(line).encode() + b"\r\n")
        if self.docker.breaks == asked.what:
            self.close_connection = True
        elif self.docker.quiet == asked.what:
            self.docker.working.set()
            self.connection.recv(1)
            self.docker.hung_up.set()
            self.close_connection = True
        else:
            self._chunk(b"")

    def _asked(self, sent: bytes) -> Asked:
        parts = urlsplit(self.path)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        logins = {}
        for header in ("X-Registry-Auth", "X-Registry-Config"):
            if header in self.headers:
                logins = json.loads(base64.urlsafe_b64decode(self.headers[header]))
        return Asked(parts.path, params, logins, _files(sent))

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Quiet: the tests' output is for failures."""


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def serve(docker: FakeDocker) -> Iterator[FakeDocker]:
    """Serve it on a unix socket, noted in `docker.url`."""
    # Not pytest's folder: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="docker-") as folder:
        server = _Server(f"{folder}/docker.sock", type("Handler", (_Handler,), {"docker": docker}))
        docker.url = f"unix://{folder}/docker.sock"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield docker
        finally:
            server.shutdown()
            server.server_close()


def _files(sent: bytes) -> dict[str, bytes]:
    if not sent.strip() or sent.startswith(b"{"):
        return {}
    with tarfile.open(fileobj=io.BytesIO(sent)) as tar:
        found = ((entry.name, tar.extractfile(entry)) for entry in tar)
        return {name: content.read() for name, content in found if content}
