"""How the world reaches the two hosts. What is not named here is not reachable from outside.

The API's host routes the health addresses and `/api`, and nothing else: `/debug`, `/docs`, `/redoc`,
`/openapi.json` and `/metrics` have no route, which every ingress class understands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pulumi_kubernetes as k8s

from components import naming
from components.component import Component

if TYPE_CHECKING:
    import pulumi
    from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict

    from model.settings import Edge as EdgeSettings

HEALTH_PATHS = ("/health", "/health/db", "/health/redis", "/health/openai")


class Edge(Component):
    """One Ingress for each host."""

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str],
        settings: EdgeSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        api = [
            _path("/api", naming.BACKEND),
            *(_path(path, naming.BACKEND, "Exact") for path in HEALTH_PATHS),
        ]
        # One origin for the browser: /api of the frontend's host is the API too, its prefix kept.
        web = [_path("/api", naming.BACKEND), _path("/", naming.FRONTEND)]
        for host_name, host, paths in (
            (naming.BACKEND, settings.api_host, api),
            (naming.FRONTEND, settings.frontend_host, web),
        ):
            k8s.networking.v1.Ingress(
                host_name,
                metadata={
                    "name": host_name,
                    "namespace": namespace,
                    "labels": naming.labels(host_name),
                    "annotations": _annotations(settings),
                },
                spec={
                    "ingress_class_name": settings.ingress_class,
                    "tls": [{"hosts": [host], "secret_name": f"{settings.tls.secret_name}-{host_name}"}],
                    "rules": [{"host": host, "http": {"paths": paths}}],
                },
                opts=self.child,
            )
        self.register_outputs({"hosts": [settings.api_host, settings.frontend_host]})


def _annotations(settings: EdgeSettings) -> dict[str, str]:
    # Not awaited: not every ingress controller reports an address, and the gate tells whether it serves.
    issuer = settings.tls.cluster_issuer
    by_issuer = {"cert-manager.io/cluster-issuer": issuer} if issuer else {}
    return {"pulumi.com/skipAwait": "true", **by_issuer, **settings.annotations}


def _path(path: str, service: str, kind: Literal["Prefix", "Exact"] = "Prefix") -> HTTPIngressPathArgsDict:
    return {
        "path": path,
        "path_type": kind,
        "backend": {"service": {"name": service, "port": {"name": "http"}}},
    }
