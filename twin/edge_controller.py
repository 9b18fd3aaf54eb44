"""Follows the cluster's Ingress objects and Services, and tells Caddy whenever it says something else.

It asks twice a second instead of watching, and compares with what Caddy itself says that it runs: so no
event can be missed, and a Caddy that was started anew is told again.
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
from twin.standins import openai, supabase_auth

if TYPE_CHECKING:
    from twin.paths import Paths

INTERVAL_S = 0.5
TIMEOUT_S = 5.0
CLASS = "nginx"
SECURE = ("127.0.0.1:8443", f"{BRIDGE_ADDRESS}:443")
PLAIN = ("127.0.0.1:8080", f"{BRIDGE_ADDRESS}:80")
# Hosts that are not the cluster's: where the guide's addresses of hosted services lead.
OUTSIDE = {
    "staging.supabase.co": f"{BRIDGE_ADDRESS}:{supabase_auth.PORT}",
    "api.openai.com": f"{BRIDGE_ADDRESS}:{openai.PORT}",
}
METRICS = (f"{BRIDGE_ADDRESS}:2020",)
FIELD_MANAGER = "orka-twin-edge"


def admin_socket(paths: Paths) -> Path:
    """Where Caddy's own API listens."""
    return paths.run / "caddy.sock"


def follows(paths: Paths) -> Path:
    """A file that is there once the controller has told Caddy of the cluster."""
    return paths.run / "edge-controller.follows"


def initial(paths: Paths) -> dict[str, Any]:
    """The configuration before the cluster has been asked."""
    return _render(paths, [], {})


def _render(paths: Paths, ingresses: list[Any], services: dict[tuple[str, str], Any]) -> dict[str, Any]:
    served = sorted({*OUTSIDE, *edge_config.hosts(ingresses)})
    return edge_config.render(
        ingresses,
        services,
        admin=f"unix/{admin_socket(paths)}",
        secure=SECURE,
        plain=PLAIN,
        certificates=[certificates.serving(paths, f"edge-{host}", [host]) for host in served],
        outside=OUTSIDE,
        metrics=METRICS,
    )


def run(paths: Paths) -> None:
    """Follow until told to stop."""
    with access.client(paths) as cluster, _caddy(paths) as caddy:
        while True:
            try:
                _reconcile(paths, cluster, caddy)
                follows(paths).touch()
            except httpx.HTTPError as error:
                print(f"trying again: {type(error).__name__}: {error}", flush=True)
            time.sleep(INTERVAL_S)


def _reconcile(paths: Paths, cluster: httpx.Client, caddy: httpx.Client) -> None:
    found = _list(cluster, "/apis/networking.k8s.io/v1/ingresses")
    ingresses = [item for item in found if item["spec"].get("ingressClassName") == CLASS]
    listed = _list(cluster, "/api/v1/services")
    services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in listed}
    wanted = _render(paths, ingresses, services)
    running = caddy.get("/config/")
    if running.raise_for_status().json() != wanted:
        answer = caddy.post("/load", json=wanted)
        if answer.is_error:
            print(f"Caddy refuses the configuration: {answer.text[:1000]}", flush=True)
        answer.raise_for_status()
        print(f"told Caddy of {len(ingresses)} Ingress objects", flush=True)
    for item in ingresses:
        _report_address(cluster, item)


def _caddy(paths: Paths) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(admin_socket(paths)))
    # Caddy lets a unix socket's callers in by this name of the host.
    return httpx.Client(transport=transport, base_url="http://127.0.0.1", timeout=TIMEOUT_S)


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
    answer = cluster.patch(
        f"{API_SERVER}{path}",
        params={"fieldManager": FIELD_MANAGER},
        headers={"Content-Type": "application/merge-patch+json"},
        content=json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": BRIDGE_ADDRESS}]}}}),
    )
    if answer.status_code != httpx.codes.NOT_FOUND:  # deleted meanwhile
        answer.raise_for_status()


if __name__ == "__main__":
    run(of(Path(sys.argv[1])))
