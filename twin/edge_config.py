"""What Caddy is told: a pure function from Ingress objects and Services to its JSON configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
) -> Json:
    """The whole configuration.

    Args:
        ingresses: the objects as the API has them.
        services: by namespace and name.
        admin: where Caddy's own API listens.
        secure: addresses for HTTPS.
        plain: addresses that redirect to HTTPS.
        certificates: files of certificate and key.
    """
    routes = [route for item in ingresses for route in _routes(item, services)]
    # As Kubernetes asks: exact before prefix, longer before shorter.
    routes.sort(key=lambda found: (not found[0], -len(found[1])))
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
                "servers": {
                    "secure": {
                        "listen": list(secure),
                        "automatic_https": {"disable": True},
                        "tls_connection_policies": [{}],
                        "routes": [*(route for _, _, route in routes), nothing],
                    },
                    "plain": {
                        "listen": list(plain),
                        "automatic_https": {"disable": True},
                        "routes": [{"handle": [_redirect()]}],
                    },
                }
            },
        },
    }


def _redirect() -> Json:
    return {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": ["https://{http.request.host}{http.request.uri}"]},
    }


def _routes(ingress: Json, services: Mapping[tuple[str, str], Json]) -> Iterable[tuple[bool, str, Json]]:
    namespace = ingress["metadata"]["namespace"]
    for rule in ingress["spec"].get("rules", ()):
        for path in rule.get("http", {}).get("paths", ()):
            wanted = path["backend"]["service"]
            service = services.get((namespace, wanted["name"]))
            exact = path["pathType"] == "Exact"
            match = {"host": [rule["host"]], "path": _matcher(path["path"], exact=exact)}
            handler = _unavailable() if service is None else _proxy(service, wanted["port"])
            yield exact, path["path"], {"match": [match], "handle": [handler], "terminal": True}


def _matcher(path: str, *, exact: bool) -> list[str]:
    if exact:
        return [path]
    stem = path.rstrip("/")
    return [stem, f"{stem}/*"] if stem else ["/*"]


def _unavailable() -> Json:
    return {"handler": "static_response", "status_code": 503, "body": "no such service\n"}


def _proxy(service: Json, port: Json) -> Json:
    spec = service["spec"]
    number = next(
        (
            p["port"]
            for p in spec["ports"]
            if p.get("name") == port.get("name") or p["port"] == port.get("number")
        ),
        0,
    )
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{spec['clusterIP']}:{number}"}],
        "load_balancing": {"try_duration": RETRY_FOR, "try_interval": RETRY_EVERY},
        # A kept connection would go on to a pod that ends, and to one pod alone.
        "transport": {"protocol": "http", "dial_timeout": DIAL_TIMEOUT, "keep_alive": {"enabled": False}},
    }
