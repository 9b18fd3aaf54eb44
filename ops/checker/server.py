"""The HTTP side: the guide's three addresses in the guide's shape, and `/` for the kubelet."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.checker.state import Remembered

CLIENT_S = 10
"""How long a client may take to say what it wants."""


def serve(states: Mapping[str, Remembered], host: str, port: int) -> ThreadingHTTPServer:
    """Return the server, listening; the caller runs it."""

    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_S
        server_version = "orka-checker"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/":
                return self._send(200, {"status": "running"})
            known = states.get(path.removeprefix("/health/")) if path.startswith("/health/") else None
            if known is None:
                return self._send(404, {"detail": "there is nothing here"})
            state = known.ask()
            # 200 in any state, as the application's own addresses answer: the field tells.
            return self._send(200, {"status": state.status, "latency_ms": state.latency_ms})

        def log_message(self, *_: object) -> None:
            """Health addresses are asked all the time: only changes are worth a line."""

        def _send(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer((host, port), Handler)
