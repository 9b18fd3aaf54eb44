"""A scripted API server: it holds the objects that a recording shows and notes what it was asked.

It has no controllers and no defaulting. What a real server would have made of a write is put in beforehand
(`answers`), taken from the recording: a test sees what the plugin asks, and what it makes of the answer.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.answering import answer_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Object = dict[str, Any]
MARK = "/api/v1/namespaces/kube-system/configmaps/orka-twin"
REVISION = "deployment.kubernetes.io/revision"
LISTS = re.compile(r"/namespaces/(?P<namespace>[^/]+)/(?P<plural>replicasets|pods|endpointslices)$")


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    params: dict[str, str]
    body: Any

    @property
    def changes(self) -> bool:
        """Whether it was more than a question."""
        return self.method != "GET"


@dataclass
class FakeApi:
    """The server's contents and its scripted answers.

    Attributes:
        objects: by path.
        answers: by method and path, what a write returns and leaves behind; None for "as it was sent".
        failures: by method, an error (HTTP code, reason, message) for every write of it.
        pods: what every list of pods shows.
        on_get: called with the path before each GET.

    """

    objects: dict[str, Object] = field(default_factory=dict)
    answers: dict[tuple[str, str], Object] = field(default_factory=dict)
    failures: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    pods: list[Object] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    on_get: Callable[[str], None] | None = None
    url: str = ""

    def reset(self) -> None:
        """Empty but for the twin's mark."""
        self.objects = {MARK: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orka-twin"}}}
        self.answers, self.failures, self.pods, self.asked, self.on_get = {}, {}, [], [], None

    def changes(self) -> list[Asked]:
        """What was asked to be changed, dry runs included."""
        return [asked for asked in self.asked if asked.changes]

    def answer(self, asked: Asked) -> tuple[int, Object]:
        """HTTP code and body for one request."""
        self.asked.append(asked)
        if asked.method == "GET":
            if self.on_get:
                self.on_get(asked.path)
            return self._read(asked)
        failure = self.failures.get(asked.method)
        if failure:
            code, reason, message = failure
            return code, {"kind": "Status", "code": code, "reason": reason, "message": message}
        return self._write(asked)

    def _read(self, asked: Asked) -> tuple[int, Object]:
        if asked.path == "/version":
            return 200, {"gitVersion": "v1.34.4"}
        listed = LISTS.search(asked.path)
        if listed:
            return 200, {"items": list(self._derived(listed["plural"], listed["namespace"]))}
        found = self.objects.get(asked.path)
        return (200, found) if found else _not_found(asked.path)

    def _write(self, asked: Asked) -> tuple[int, Object]:
        path = asked.path
        if asked.method == "POST":
            path += f"/{asked.body['metadata']['name']}"
            if path in self.objects:
                plural, name = path.split("/")[-2:]
                group = f".{path.split('/')[2]}" if path.startswith("/apis/") else ""
                message = f'{plural}{group} "{name}" already exists'
                return 409, {"code": 409, "reason": "AlreadyExists", "message": message}
        if asked.method == "DELETE":
            return (200, self.objects.pop(path)) if path in self.objects else _not_found(path)
        if isinstance(asked.body, list):
            return 200, self.objects[path]
        result = self.answers.get((asked.method, path), asked.body)
        if asked.params.get("dryRun") != "All":
            self.objects[path] = result
        return 200, result

    def _derived(self, plural: str, namespace: str) -> Iterator[Object]:
        """What the controllers would have made of the objects that are there."""
        if plural == "pods":
            yield from self.pods
        if plural == "endpointslices":
            yield {
                "metadata": {},
                "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}],
            }
        for path, item in self.objects.items():
            if plural == "replicasets" and f"/namespaces/{namespace}/deployments/" in path:
                meta, status = item["metadata"], item.get("status") or {}
                done = any(
                    c.get("reason") == "NewReplicaSetAvailable" for c in status.get("conditions") or []
                )
                yield {
                    "metadata": {
                        "name": f"{meta['name']}-1",
                        "uid": f"rs-{meta.get('uid')}",
                        "annotations": {REVISION: (meta.get("annotations") or {}).get(REVISION, "")},
                        "ownerReferences": [{"uid": meta.get("uid")}],
                    },
                    "spec": {"replicas": item["spec"].get("replicas", 1)},
                    "status": {"readyReplicas": status.get("updatedReplicas", 0) if done else 0},
                }


def _not_found(path: str) -> tuple[int, Object]:
    return 404, {"code": 404, "reason": "NotFound", "message": f"{path} not found"}


def serve(api: FakeApi) -> ThreadingHTTPServer:
    """Serve `api` on a free loopback port, noted in `api.url`; stop it by `shutdown()`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            params = {key: values[0] for key, values in parse_qs(parts.query).items()}
            code, answer = api.answer(Asked(self.command, parts.path, params, body))
            answer_json(self, code, answer)

        do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names are the base class's

        def log_message(self, *_: object) -> None:
            """Quiet: the tests' output is for failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    api.reset()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
