"""Follows the cluster's Ingress objects and Services, and tells Caddy whenever what they say changes.

It asks twice a second instead of watching: two small lists from a server on the same machine, and no state
that could miss an event.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from twin import certificates, edge_config
from twin.node import access
from twin.paths import API_SERVER, BRIDGE_ADDRESS, of

if TYPE_CHECKING:
    from twin.paths import Paths

INTERVAL_S = 0.5
TIMEOUT_S = 5.0
CLASS = "nginx"
SECURE = ("127.0.0.1:8443", f"{BRIDGE_ADDRESS}:443")
PLAIN = ("127.0.0.1:8080", f"{BRIDGE_ADDRESS}:80")
FIELD_MANAGER = "orka-twin-edge"


def admin_socket(paths: Paths) -> Path:
    """Where Caddy's own API listens."""
    return paths.run / "caddy.sock"


def initial(paths: Paths) -> dict[str, Any]:
    """The configuration before the cluster has been asked."""
    return _render(paths, [], {})


def _render(paths: Paths, ingresses: list[Any], services: dict[tuple[str, str], Any]) -> dict[str, Any]:
    pairs = [certificates.serving(paths, f"edge-{host}", [host]) for host in edge_config.hosts(ingresses)]
    return edge_config.render(
        ingresses,
        services,
        admin=f"unix/{admin_socket(paths)}",
        secure=SECURE,
        plain=PLAIN,
        certificates=pairs,
    )


def run(paths: Paths) -> None:
    """Follow until told to stop."""
    last = ""
    with access.client(paths) as cluster, _caddy(paths) as caddy:
        while True:
            try:
                found = _list(cluster, "/apis/networking.k8s.io/v1/ingresses")
                ingresses = [item for item in found if item["spec"].get("ingressClassName") == CLASS]
                listed = _list(cluster, "/api/v1/services")
                services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in listed}
                wanted = json.dumps(_render(paths, ingresses, services), sort_keys=True)
                if wanted != last:
                    answer = caddy.post("/load", content=wanted, headers={"Content-Type": "application/json"})
                    answer.raise_for_status()
                    last = wanted
                    print(f"told Caddy of {len(ingresses)} Ingress objects", flush=True)
                for item in ingresses:
                    _report_address(cluster, item)
            except httpx.HTTPError as error:
                print(f"trying again: {type(error).__name__}: {error}", flush=True)
            time.sleep(INTERVAL_S)


def _caddy(paths: Paths) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(admin_socket(paths)))
    return httpx.Client(transport=transport, base_url="http://caddy", timeout=TIMEOUT_S)


def _list(cluster: httpx.Client, path: str) -> list[Any]:
    answer = cluster.get(f"{API_SERVER}{path}")
    answer.raise_for_status()
    return list(answer.json()["items"])


def _report_address(cluster: httpx.Client, ingress: Any) -> None:
    if ingress.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return
    metadata = ingress["metadata"]
    path = (
        f"/apis/networking.k8s.io/v1/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
    )
    cluster.patch(
        f"{API_SERVER}{path}",
        params={"fieldManager": FIELD_MANAGER},
        headers={"Content-Type": "application/merge-patch+json"},
        content=json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": BRIDGE_ADDRESS}]}}}),
    ).raise_for_status()


if __name__ == "__main__":
    run(of(Path(sys.argv[1])))
