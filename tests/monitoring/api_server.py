"""An API server that knows one Service and hands on what is asked of it, as a real one does."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def api_server(kubeconfig: Path, path: str, service: str) -> Iterator[None]:
    """Its kubeconfig leads to `service` below `path`, and to nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(path):
                return self._send(httpx.Response(404))
            url = service + self.path.removeprefix(path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept = {name: self.headers[name] for name in ("content-type",) if name in self.headers}
            return self._send(httpx.request(self.command, url, content=body, headers=kept))

        do_POST = do_GET  # noqa: N815 - the library's name

        def _send(self, answer: httpx.Response) -> None:
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    named = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "here", "context": {"cluster": "here", "user": ""}}
    config = {"clusters": [named], "contexts": [context], "current-context": "here"}
    kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    yield
    server.shutdown()
