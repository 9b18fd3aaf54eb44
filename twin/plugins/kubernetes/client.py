"""A small REST client for one API server.

Not the `kubernetes` package: importing it costs more than most commands of the engine, and what is needed
here are seven verbs on plain JSON.
"""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3

from twin.plugins.kubernetes.errors import ApiError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.plugins.kubernetes.config import ClusterAccess
    from twin.plugins.kubernetes.kinds import Kind

CONNECT_SECONDS = 5
READ_SECONDS = 30
CONNECTIONS = 16
HTTP_ERROR = 400

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


class Client:
    """Calls to one API server. Safe to use from several threads."""

    def __init__(self, access: ClusterAccess) -> None:
        self.server = access.server
        self.namespace = access.namespace
        self._headers = {"Accept": "application/json", "User-Agent": "orka-twin-kubernetes", **_login(access)}
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            ssl_context=_tls(access) if access.server.startswith("https:") else None,
        )
        self._lock = threading.Lock()
        self._reachable: UnreachableError | bool | None = None

    def require(self) -> None:
        """Ask once whether the API server answers at all.

        Raises:
            UnreachableError: it does not.

        """
        with self._lock:
            if self._reachable is None:
                try:
                    self.call("GET", "/version")
                    self._reachable = True
                except UnreachableError as error:
                    self._reachable = error
                except ApiError:
                    self._reachable = True
        if isinstance(self._reachable, UnreachableError):
            raise UnreachableError(str(self._reachable))

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any]:
        """The live object."""
        return self.call("GET", kind.path(namespace, name))

    def list_objects(self, kind: Kind, namespace: str, labels: str = "") -> list[dict[str, Any]]:
        """The objects of a kind in a namespace, by label selector."""
        answer = self.call("GET", kind.path(namespace), params={"labelSelector": labels} if labels else {})
        items: list[dict[str, Any]] = answer.get("items") or []
        return items

    def create(self, kind: Kind, body: dict[str, Any], manager: str, *, dry_run: bool) -> dict[str, Any]:
        """Make a new object; one of that name must not exist. Unknown fields are an error."""
        params = {"fieldManager": manager, "fieldValidation": "Strict", **_dry(dry_run)}
        namespace = body["metadata"].get("namespace", "")
        return self.call("POST", kind.path(namespace), params=params, body=body)

    def apply(
        self, kind: Kind, body: dict[str, Any], manager: str, *, force: bool, dry_run: bool
    ) -> dict[str, Any]:
        """Server-side apply; a field of another manager is a conflict unless `force`."""
        params = {
            "fieldManager": manager,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
            **_dry(dry_run),
        }
        meta = body["metadata"]
        path = kind.path(meta.get("namespace", ""), meta["name"])
        return self.call("PATCH", path, params=params, body=body, content_type=APPLY)

    def patch(
        self, kind: Kind, namespace: str, name: str, operations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Apply JSON patch operations."""
        return self.call("PATCH", kind.path(namespace, name), body=operations, content_type=JSON_PATCH)

    def delete(self, kind: Kind, namespace: str, name: str, propagation: str) -> None:
        """Ask for deletion; it may take its time."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self.call("DELETE", kind.path(namespace, name), body=body)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request.

        Raises:
            ApiError: the server refused it.
            UnreachableError: no answer.

        """
        url = f"{self.server}{path}?{urlencode(params)}" if params else self.server + path
        try:
            response = self._pool.request(
                method,
                url,
                headers={**self._headers, "Content-Type": content_type},
                body=None if body is None else json.dumps(body),
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"no answer from {self.server}: {error}") from error
        try:
            answer = json.loads(response.data or b"{}")
        except ValueError:
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        if response.status >= HTTP_ERROR:
            message = answer.get("message") or f"{method} {path}: HTTP {response.status}"
            raise ApiError(response.status, answer.get("reason") or "", message, answer.get("details"))
        return answer


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _login(access: ClusterAccess) -> dict[str, str]:
    user = access.user
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (access.folder / str(user["tokenFile"])).read_text(encoding="utf-8").strip()
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user.get("username"):
        return dict(urllib3.make_headers(basic_auth=f"{user['username']}:{user.get('password', '')}"))
    return {}


def _tls(access: ClusterAccess) -> ssl.SSLContext:
    try:
        return _tls_context(access)
    except (OSError, ValueError) as error:
        raise UnreachableError(f"the kubeconfig's certificates cannot be used: {error}") from error


def _tls_context(access: ClusterAccess) -> ssl.SSLContext:
    authority = _material(access, access.cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if access.cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _material(access, access.user, "client-certificate")
    key = _material(access, access.user, "client-key")
    if certificate and key:
        # The ssl module takes files only; this one is readable by its owner alone and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _material(access: ClusterAccess, section: Mapping[str, Any], name: str) -> bytes:
    """A certificate or key, given in place (`<name>-data`, base64) or as a file beside the kubeconfig."""
    data = section.get(f"{name}-data")
    if data:
        return base64.b64decode(str(data))
    path = section.get(name)
    return (access.folder / Path(str(path))).read_bytes() if path else b""
