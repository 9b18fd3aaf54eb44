"""How the world reaches the two hosts. What is not named here is not reachable from outside.

The API's host routes the health addresses, `/api`, the root where the application says its version, and
nothing else: `/debug`, `/docs`, `/redoc`,
`/openapi.json` and `/metrics` have no route, which every ingress class understands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pulumi_kubernetes as k8s

from components import naming
from components.component import Component
from model import health

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi
    from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict

    from model.settings import Settings

NGINX = "nginx.ingress.kubernetes.io"
# external-dns 0.22 knows the second one only, those before it the first one only.
EXTERNAL_DNS = ("external-dns.alpha.kubernetes.io", "external-dns.kubernetes.io")


class Edge(Component):
    """One Ingress for each host."""

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str],
        settings: Settings,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        api = [
            _path("/api", naming.BACKEND),
            *(
                _path(path, naming.CHECKER if by_checker else naming.BACKEND, "Exact")
                for path, by_checker in health.paths(settings).items()
            ),
        ]
        if settings.verification.profile == "application":
            # Where the application says its version, by which `ops checks` knows it.
            api.append(_path("/", naming.BACKEND, "Exact"))
        # One origin for the browser: /api of the frontend's host is the API too, its prefix kept.
        web = [_path("/api", naming.BACKEND), _path("/", naming.FRONTEND)]
        edge = settings.edge
        routes = [(naming.BACKEND, edge.api_host, api)]
        if settings.frontend.target == "kubernetes" and edge.frontend_host:
            routes.append((naming.FRONTEND, edge.frontend_host, web))
        for host_name, host, paths in routes:
            k8s.networking.v1.Ingress(
                host_name,
                metadata={
                    "name": host_name,
                    "namespace": namespace,
                    "labels": naming.labels(host_name),
                    "annotations": asked_for(host_name, settings),
                },
                spec={
                    "ingress_class_name": edge.ingress_class,
                    "tls": [{"hosts": [host], "secret_name": f"{edge.tls.secret_name}-{host_name}"}],
                    "rules": [{"host": host, "http": {"paths": paths}}],
                },
                # A Service made by hand may lack the named port until it is taken over.
                opts=self.child_after(*after),
            )
        self.register_outputs({"hosts": [host for _, host, _ in routes]})


def asked_for(host_name: str, settings: Settings) -> dict[str, str]:
    """What the controller, cert-manager and external-dns are asked for; the settings' own ones win."""
    edge = settings.edge
    # Not awaited: not every ingress controller reports an address, and the gate tells whether it serves.
    found = {"pulumi.com/skipAwait": "true"}
    if edge.tls.cluster_issuer:
        found["cert-manager.io/cluster-issuer"] = edge.tls.cluster_issuer
    if edge.controller == "ingress-nginx":
        # HSTS is the controller's own: it sends the header with every answer over TLS, unless told not to.
        found[f"{NGINX}/force-ssl-redirect"] = "true"
        if host_name == naming.BACKEND:
            found |= {f"{NGINX}/{key}": value for key, value in _cors(settings).items()}
    if edge.external_dns and edge.address:
        found |= {f"{prefix}/target": edge.address for prefix in EXTERNAL_DNS}
    return {**found, **edge.annotations}


def _cors(settings: Settings) -> dict[str, str]:
    """The edge answers for the frontend's origin, whatever the application itself would answer."""
    return {
        "enable-cors": "true",
        "cors-allow-origin": ",".join(settings.backend.cors_origins),
        "cors-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "cors-allow-headers": "Authorization, Content-Type, X-Request-ID",
        "cors-allow-credentials": "true",
        "cors-max-age": "600",
    }


def _path(path: str, service: str, kind: Literal["Prefix", "Exact"] = "Prefix") -> HTTPIngressPathArgsDict:
    return {
        "path": path,
        "path_type": kind,
        "backend": {"service": {"name": service, "port": {"name": "http"}}},
    }
