"""What Caddy is told: a pure function from Ingress objects and Services to its JSON configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.edge_headers import with_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twin.certificates import Pair

# A pod that ends may refuse a connection before the Service forgets it: another one is tried.
RETRY_FOR = "5s"
RETRY_EVERY = "100ms"
DIAL_TIMEOUT = "2s"

Json = dict[str, Any]


def hosts(ingresses: Iterable[Json]) -> list[str]:
    """Every host that an Ingress wants served with TLS."""
    return sorted(
        {host for item in ingresses for tls in item["spec"].get("tls", ()) for host in tls.get("hosts", ())}
    )


def render(
    ingresses: Sequence[Json],
    services: Mapping[tuple[str, str], Json],
    *,
    admin: str,
    secure: Sequence[str],
    plain: Sequence[str],
    certificates: Sequence[Pair],
    outside: Mapping[str, str],
    metrics: Sequence[str] = (),
) -> Json:
    """The whole configuration.

    Args:
        ingresses: the objects as the API has them.
        services: by namespace and name.
        admin: where Caddy's own API listens.
        secure: addresses for HTTPS.
        plain: addresses that redirect to HTTPS.
        certificates: files of certificate and key.
        outside: address of what answers for a host that is not the cluster's, by host.
        metrics: addresses where Prometheus may ask.
    """
    routes = [route for item in ingresses for route in _routes(item, services)]
    # As Kubernetes asks: a host's own rules before those for every host, exact before prefix, longer first.
    routes.sort(key=lambda found: found.rank)
    others = [
        {"match": [{"host": [host]}], "handle": [_proxy_to(address)], "terminal": True}
        for host, address in sorted(outside.items())
    ]
    nothing: Json = {
        "handle": [{"handler": "static_response", "status_code": 404, "body": "no such route at the edge\n"}]
    }
    load = [{"certificate": str(pair.certificate), "key": str(pair.key)} for pair in certificates]
    return {
        "admin": {"listen": admin},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "apps": {
            "tls": {"certificates": {"load_files": load}},
            "http": {
                "metrics": {"per_host": True},
                "servers": {
                    "metrics": {
                        "listen": list(metrics),
                        "automatic_https": {"disable": True},
                        "routes": [{"match": [{"path": ["/metrics"]}], "handle": [{"handler": "metrics"}]}],
                    },
                    "secure": {
                        "listen": list(secure),
                        "automatic_https": {"disable": True},
                        "tls_connection_policies": [{}],
                        "routes": [*others, *(route.caddy for route in routes), nothing],
                    },
                    "plain": {
                        "listen": list(plain),
                        "automatic_https": {"disable": True},
                        "routes": [{"handle": [_redirect()]}],
                    },
                },
            },
        },
    }


def _redirect() -> Json:
    return {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": ["https://{http.request.host}{http.request.uri}"]},
    }


@dataclass(frozen=True)
class _Route:
    host: str
    path: str
    exact: bool
    caddy: Json

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return (not self.host, not self.exact, -len(self.path))


def _routes(ingress: Json, services: Mapping[tuple[str, str], Json]) -> Iterable[_Route]:
    namespace = ingress["metadata"]["namespace"]
    for rule in ingress["spec"].get("rules", ()):
        host = rule.get("host", "")
        for path in rule.get("http", {}).get("paths", ()):
            wanted, exact = path["backend"].get("service"), path["pathType"] == "Exact"
            match: Json = {"path_regexp": {"pattern": _pattern(path["path"], exact=exact)}}
            if host:
                match["host"] = [host]
            address = _address(services.get((namespace, wanted["name"])), wanted["port"]) if wanted else None
            handler = _proxy_to(address) if address else _unavailable()
            handlers = with_headers([handler], ingress["metadata"].get("annotations", {}))
            caddy = {"match": [match], "handle": handlers, "terminal": True}
            yield _Route(host, path["path"], exact, caddy)


def _pattern(path: str, *, exact: bool) -> str:
    """Case counts in Kubernetes, unlike in Caddy's own path matcher; a prefix ends where a segment does."""
    if exact:
        return f"^{re.escape(path)}$"
    return f"^{re.escape(path.rstrip('/'))}(/|$)"


def _unavailable() -> Json:
    return {"handler": "static_response", "status_code": 503, "body": "no such service\n"}


def _address(service: Json | None, port: Json) -> str | None:
    """Where a Service listens; None when it, the port or an address of its own is missing."""
    if service is None or service["spec"].get("clusterIP") in (None, "", "None"):
        return None
    for found in service["spec"].get("ports", ()):
        same = found.get("name") == port["name"] if port.get("name") else found["port"] == port["number"]
        if same:
            return f"{service['spec']['clusterIP']}:{found['port']}"
    return None


def _proxy_to(address: str) -> Json:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": address}],
        "load_balancing": {"try_duration": RETRY_FOR, "try_interval": RETRY_EVERY},
        # A kept connection would go on to a pod that ends, and to one pod alone.
        "transport": {"protocol": "http", "dial_timeout": DIAL_TIMEOUT, "keep_alive": {"enabled": False}},
    }
