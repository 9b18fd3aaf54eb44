"""Services, Ingresses and volume claims: ready when something stands behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plugins.kubernetes import kinds
from twin.plugins.kubernetes.awaiting import Sight
from twin.plugins.kubernetes.errors import ApiError

if TYPE_CHECKING:
    from twin.plugins.kubernetes import objects
    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.kinds import Kind

NO_ENDPOINTS = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not "
    "match labels on any Pods"
)
NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?"
NO_INGRESS_ADDRESS = (
    "Ingress .status.loadBalancer field was not updated with a hostname/IP address. "
    "\n    for more information about this error, see https://pulumi.io/xdv72s"
)


def look_at_service(client: Client, _kind: Kind, service: objects.Object) -> Sight:
    """A Service is ready when a ready pod stands behind it and, if it asked for one, it has an address."""
    spec, meta = service.get("spec") or {}, service["metadata"]
    reasons = []
    waits_for_pods = (
        spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None" and bool(spec.get("selector"))
    )
    if waits_for_pods and not _has_endpoints(client, meta.get("namespace", ""), meta["name"]):
        reasons.append(NO_ENDPOINTS)
    if spec.get("type") == "LoadBalancer" and not _has_address(service):
        reasons.append(NO_ADDRESS)
    return Sight(ready=not reasons, progress="Waiting for the Service's pods", reasons=reasons)


def look_at_ingress(client: Client, _kind: Kind, ingress: objects.Object) -> Sight:
    """An Ingress is ready when its Services have pods and a controller gave it an address."""
    namespace = ingress["metadata"].get("namespace", "")
    reasons = [
        f"No matching service found for ingress rule: expected {name!r} to exist and to have ready pods"
        for name in _services(ingress)
        if not _is_backed(client, namespace, name)
    ]
    if not _has_address(ingress):
        reasons.append(NO_INGRESS_ADDRESS)
    return Sight(ready=not reasons, progress="Waiting for the Ingress's controller", reasons=reasons)


def look_at_claim(_client: Client, _kind: Kind, claim: objects.Object) -> Sight:
    """A claim is ready when it is bound."""
    phase = (claim.get("status") or {}).get("phase")
    return Sight(
        ready=phase == "Bound", progress=f"Waiting for the claim to be bound ({phase})", reasons=["not bound"]
    )


def _has_address(obj: objects.Object) -> bool:
    return bool(((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def _has_endpoints(client: Client, namespace: str, service: str) -> bool:
    slices = client.list_objects(kinds.ENDPOINT_SLICE, namespace, f"kubernetes.io/service-name={service}")
    return any(
        (endpoint.get("conditions") or {}).get("ready") is not False
        for item in slices
        for endpoint in item.get("endpoints") or []
    )


def _is_backed(client: Client, namespace: str, service: str) -> bool:
    try:
        live = client.get(kinds.of_type("kubernetes:core/v1:Service"), namespace, service)
    except ApiError as error:
        if error.not_found:
            return False
        raise
    external = (live.get("spec") or {}).get("type") == "ExternalName"
    return external or _has_endpoints(client, namespace, service)


def _services(ingress: objects.Object) -> list[str]:
    spec = ingress.get("spec") or {}
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or []:
        backends += [path.get("backend") or {} for path in (rule.get("http") or {}).get("paths") or []]
    names = [(backend.get("service") or {}).get("name") for backend in backends]
    return sorted({name for name in names if name})
