"""What ingress-nginx adds to answers: HSTS by its default, CORS where an Ingress asks for it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io/"
HSTS = "max-age=31536000; includeSubDomains"
CORS = {
    "cors-allow-methods": "Access-Control-Allow-Methods",
    "cors-allow-headers": "Access-Control-Allow-Headers",
    "cors-allow-credentials": "Access-Control-Allow-Credentials",
    "cors-max-age": "Access-Control-Max-Age",
}


def with_headers(handlers: Sequence[Json], annotations: Mapping[str, str]) -> list[Json]:
    """The handlers of a route served over TLS, with what the controller adds before them."""
    secure = _set({"Strict-Transport-Security": [HSTS]})
    if annotations.get(f"{PREFIX}enable-cors") != "true":
        return [secure, *handlers]
    origins = [origin.strip() for origin in annotations.get(f"{PREFIX}cors-allow-origin", "*").split(",")]
    headers = {
        header: [annotations[f"{PREFIX}{key}"]]
        for key, header in CORS.items()
        if f"{PREFIX}{key}" in annotations
    }
    allowed = {"Access-Control-Allow-Origin": ["{http.request.header.Origin}"], "Vary": ["Origin"], **headers}
    routes: list[Json] = [
        {"match": [{"header": {"Origin": origins}}], "handle": [_set(allowed)]},
        # A preflight is the controller's to answer: the application is not asked.
        {
            "match": [{"method": ["OPTIONS"]}],
            "handle": [{"handler": "static_response", "status_code": 204}],
            "terminal": True,
        },
        {"handle": list(handlers)},
    ]
    return [secure, {"handler": "subroute", "routes": routes}]


def _set(headers: Mapping[str, Sequence[str]]) -> Json:
    """Set when the answer is on its way: over what the application itself said."""
    return {"handler": "headers", "response": {"set": dict(headers), "deferred": True}}
