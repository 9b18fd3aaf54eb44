"""Which connections the stack needs: the one table that the network policies are made of."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model import monitoring_parts
from model.jobs import active

if TYPE_CHECKING:
    from model.settings import Settings

EDGE = "edge"
SENDERS = "log-senders"
"""The agents on the nodes that read the pods' logs."""
OPERATOR = "operator"
"""A Prometheus in another namespace, which an operator runs."""
EXTERNAL_FRONTEND = "external-frontend"
ANYWHERE = ("0.0.0.0/0", "::/0")
DEFAULT_PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}


@dataclass(frozen=True)
class Destination:
    """One service outside of the namespace: its ports, and the ranges of addresses where it may be."""

    ports: tuple[int, ...]
    ranges: dict[str, tuple[str, ...]]
    """By range what is left out of it."""


def connections(settings: Settings) -> list[tuple[str, str]]:
    """Who opens connections to whom: parts of the stack, `edge`, and the names of `outside`."""
    application = ("backend", "cron-jobs") if active(settings) else ("backend",)
    hosted = ["redis", "supabase", "openai", *settings.network.further]
    here = settings.frontend.target == "kubernetes"
    found = [
        (EDGE, "backend"),
        *((source, "database") for source in ("migration", *application)),
        *((source, target) for source in application for target in hosted),
    ]
    if here:
        found += [(EDGE, "frontend"), ("frontend", "backend")]
    found += monitoring_connections(settings)
    if settings.logging.sink != "none":
        found.append((SENDERS, "fluentd"))
        if settings.logging.url:
            found.append(("fluentd", "log-sink"))
    if settings.verification.enabled:
        page = "frontend" if here else EXTERNAL_FRONTEND
        found += [("verification", target) for target in ("backend", "supabase", "database", page)]
        if settings.verification.announce:
            found.append(("announcement", "alerts"))
    if settings.verification.by_checker:
        found += [(EDGE, "checker"), *(("checker", target) for target in ("database", "redis", "openai"))]
        if settings.verification.enabled:
            found.append(("verification", "checker"))
    return found


def monitoring_connections(settings: Settings) -> list[tuple[str, str]]:
    """Who watches whom, and who tells whom."""
    there = monitoring_parts.parts(settings)
    if not there:
        return []
    page = "frontend" if settings.frontend.target == "kubernetes" else EXTERNAL_FRONTEND
    asker = "prometheus" if "prometheus" in there else OPERATOR
    asked = [part for part in there if part != "prometheus"]
    if settings.monitoring.backend_metrics:
        asked.append("backend")
    if settings.logging.sink != "none":
        asked.append("fluentd")
    found = [
        *((asker, target) for target in asked),
        *((monitoring_parts.BLACKBOX, target) for target in ("backend", page, "public")),
        (monitoring_parts.REDIS, "redis"),
        (monitoring_parts.POSTGRES, "database"),
        (monitoring_parts.KUBE_METRICS, "kubernetes"),
    ]
    if settings.verification.by_checker:
        found.append((monitoring_parts.BLACKBOX, "checker"))
    if asker == "prometheus":
        found.append((monitoring_parts.ALERTMANAGER, "alerts"))
        if settings.monitoring.edge_metrics.targets:
            found.append((asker, EDGE))
    return found


def outside(settings: Settings) -> dict[str, Destination]:
    """Every service outside of the namespace that the application uses, by name."""
    network = settings.network
    by_url = {
        "redis": (settings.redis.url, network.redis),
        "supabase": (settings.supabase.url, network.supabase),
        "openai": (settings.openai.base_url, network.openai),
    }
    found = {
        "database": _destination((network.database.port,), network.database.cidrs, network.cluster_cidrs)
    }
    for name, (url, addresses) in by_url.items():
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        literal = _literal(parts.hostname or "")
        given = addresses.cidrs or ((literal,) if literal else ())
        found[name] = _destination((port,), given, network.cluster_cidrs)
    if settings.frontend.url:
        port = urlsplit(settings.frontend.url).port or DEFAULT_PORTS["https"]
        found[EXTERNAL_FRONTEND] = _destination((port,), (), network.cluster_cidrs)
    found["kubernetes"] = _destination(
        network.kubernetes.ports, network.kubernetes.cidrs, network.cluster_cidrs
    )
    for name, known in {"alerts": network.alerts, **network.further}.items():
        found[name] = _destination((known.port,), known.cidrs, network.cluster_cidrs)
    if settings.logging.url:
        parts = urlsplit(settings.logging.url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        found["log-sink"] = _destination((port,), settings.logging.addresses.cidrs, network.cluster_cidrs)
    found["public"] = _public(settings)
    return found


def built_in(settings: Settings) -> set[str]:
    """The names that mean something already, whatever else the settings list under `network.further`."""
    network = settings.network.model_copy(update={"further": {}})
    bare = settings.model_copy(update={"network": network})
    ends = {end for connection in connections(bare) for end in connection}
    return {EDGE, OPERATOR, SENDERS, *ends, *outside(bare)}


def _public(settings: Settings) -> Destination:
    """Our own hosts. A private address of the edge is not among those that are open without being named."""
    port, network, address = DEFAULT_PORTS["https"], settings.network, settings.edge.address or ""
    found = _destination((port,), network.public.cidrs, network.cluster_cidrs)
    literal = _literal(address)
    if literal and not network.public.cidrs and not allows(found, address):
        return _destination((port,), (literal,), network.cluster_cidrs)
    return found


def _destination(ports: tuple[int, ...], cidrs: tuple[str, ...], inside: tuple[str, ...]) -> Destination:
    if cidrs:
        return Destination(ports, dict.fromkeys(cidrs, ()))
    return Destination(
        ports, {anywhere: tuple(r for r in inside if _same(r, anywhere)) for anywhere in ANYWHERE}
    )


def allows(destination: Destination, address: str) -> bool:
    """Whether the address lies in the ranges of the destination."""
    there = ip_address(address)
    return any(
        there in ip_network(wide) and not any(there in ip_network(out) for out in left_out)
        for wide, left_out in destination.ranges.items()
    )


def _same(one: str, other: str) -> bool:
    return ip_network(one).version == ip_network(other).version


def _literal(host: str) -> str | None:
    """The range of one address, where the URL names an address instead of a host."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return f"{address}/{address.max_prefixlen}"
