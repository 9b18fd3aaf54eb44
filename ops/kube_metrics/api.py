"""Reads the objects of one namespace with the pod's own account."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from ops.kube_metrics import series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_S = 8
# One question must not bring down the API server of a namespace with many pods.
PAGE = 500
KINDS: dict[str, Callable[[Iterable[series.Json]], Iterator[series.Series]]] = {
    "api/v1/namespaces/{}/pods": series.pods,
    "api/v1/namespaces/{}/resourcequotas": series.quotas,
    "apis/apps/v1/namespaces/{}/deployments": series.deployments,
    "apis/batch/v1/namespaces/{}/jobs": series.jobs,
    "apis/batch/v1/namespaces/{}/cronjobs": series.cron_jobs,
    "apis/policy/v1/namespaces/{}/poddisruptionbudgets": series.disruption_budgets,
}


class ApiServer:
    """The API server as the pod's variables name it. The token is read each time: the kubelet renews it."""

    def __init__(self, address: str, namespace: str, account: Path = ACCOUNT) -> None:
        self._namespace = namespace
        self._token = account / "token"
        # http: a stand-in of the tests; the cluster's own address is https, with a certificate to check.
        verify: ssl.SSLContext | bool = True
        if address.startswith("https:"):
            verify = ssl.create_default_context(cafile=str(account / "ca.crt"))
        self._client = httpx.Client(base_url=address, verify=verify, timeout=TIMEOUT_S, trust_env=False)

    def series(self) -> list[series.Series]:
        """Every series of the namespace.

        Raises:
            httpx.HTTPError: the API server is away or refuses.
            OSError: there is no token.
        """
        return [
            one for path, read in KINDS.items() for one in read(self._items(path.format(self._namespace)))
        ]

    def _items(self, path: str) -> Iterator[dict[str, Any]]:
        headers = {"authorization": f"Bearer {self._token.read_text().strip()}"}
        parameters = {"limit": str(PAGE)}
        while True:
            answer = self._client.get(path, headers=headers, params=parameters).raise_for_status().json()
            yield from answer["items"]
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return
            parameters["continue"] = following


def address() -> str | None:
    """Where the API server is, by the variables that Kubernetes gives every pod."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if host and ':' in host else host}:{port}" if host else None
