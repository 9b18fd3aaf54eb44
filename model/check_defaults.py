"""The default checks of a release: the guide's, or those that fit the application as it is today.

The gate asks Services by their names; the operator's shell asks through the edge, and the cluster too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from model.check_calls import application_calls, guide_calls, token_calls
from model.check_kinds import HealthCheck, JsonAssertion, Kind, LatencyCheck
from model.check_shell import GATE_LEAVES_OUT, Deployed, events, host, shell_checks
from model.check_surroundings import (
    BROWSER_NAMESPACES,
    AssetsCheck,
    BundleCheck,
    CatalogCheck,
    KeyCheck,
    NotHere,
    RowCheck,
)
from model.checks import ChecksFile, TokenSource, health_urls
from model.job_effects import Task, effects

if TYPE_CHECKING:
    from collections.abc import Mapping

Profile = Literal["guide", "application"]

DEFAULT_LATENCY_MS: Mapping[str, int] = {
    "backend": 1_000,
    "database": 1_000,
    "redis": 1_000,
    "openai": 5_000,
    "frontend": 2_000,
}
"""Milliseconds within which a health address has to answer, by its key in the stack's `health_urls`."""

CONTRACT = "sql/contract.yaml"
"""What the database's catalog is compared with, in a checkout."""

API_TARGETS_MS = (100, 200)
"""The median and the 95th percentile of reading events."""

_APPLICATION_ALONE = "the application has no such address; `verification.checker: true` answers it"
_OF_THE_PAGE: tuple[tuple[str, Kind, str], ...] = (
    ("bundle-hosts", "bundle", "name"),
    ("browser", "browser", "ask"),
)
_NOBODY_SAYS = tuple(
    NotHere(
        name=name,
        kind=kind,
        reason=f"nobody says which hosts the page may {verb}: --bundle-host or ORKA_BUNDLE_HOSTS",
    )
    for name, kind, verb in _OF_THE_PAGE
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a set of default checks is made from.

    `api_url` and `frontend_url` are as reached from here. `health` are the health addresses by
    name; `hosts` those that the page's scripts may name beside its own and the API's, None where nobody said;
    `version` that of `/health`, of the application's `/`; `checker` says whether the health addresses that
    the application lacks are answered; `ran` says of the jobs that have just been run when that began.
    `deployed` is None in the gate, which cannot ask the cluster.
    """

    release_id: str
    api_url: str
    frontend_url: str
    token: TokenSource = field(default_factory=TokenSource)
    profile: Profile = "guide"
    health: Mapping[str, str] | None = None
    latency_ms: Mapping[str, int] = field(default_factory=dict)
    api_targets_ms: tuple[int, int] = API_TARGETS_MS
    version: str | None = None
    hosts: tuple[str, ...] | None = None
    checker: bool = True
    ran: Mapping[Task, str] = field(default_factory=dict)
    contract: str = CONTRACT
    deployed: Deployed | None = None


def default_checks(wanted: Wanted) -> ChecksFile:
    """Return the default checks for one place and one profile."""
    base = f"{wanted.api_url.rstrip('/')}/api/audit"
    guide = wanted.profile == "guide"
    health, missing = _health(wanted)
    page = f"{wanted.frontend_url.rstrip('/')}/"
    own = (host(wanted.api_url), host(wanted.frontend_url))
    hosts = None if wanted.hosts is None else tuple(sorted({*wanted.hosts, *own}))
    lists: dict[str, Any] = {
        "health": health,
        "functional": (guide_calls if guide else application_calls)(base) + token_calls(base, critical=guide),
        "assets": (AssetsCheck(name="frontend-assets", url=page),),
        "latency": (_latency(wanted),),
        "catalog": (CatalogCheck(name="catalog", contract=wanted.contract),),
        "database": (*_rows(critical=guide), *effects(wanted.ran)),
        "key": _keys(wanted.token),
    }
    if hosts is None:
        missing += _NOBODY_SAYS
    else:
        named = tuple(sorted({*hosts, *BROWSER_NAMESPACES}))
        lists["bundle"] = (BundleCheck(name="bundle-hosts", url=page, hosts=named),)
    if wanted.deployed is None:
        missing += GATE_LEAVES_OUT
    else:
        lists |= shell_checks(
            wanted.api_url, wanted.frontend_url, wanted.deployed, hosts=hosts,
        )  # fmt: skip
    not_here = tuple({entry.name: entry for entry in missing}.values())
    return ChecksFile(release_id=wanted.release_id, token=wanted.token, not_here=not_here, **lists)


def _latency(wanted: Wanted) -> LatencyCheck:
    p50, p95 = wanted.api_targets_ms
    return LatencyCheck(
        name="api-latency", url=events(wanted.api_url), p50_ms=p50, p95_ms=p95, critical=False
    )


def _health(wanted: Wanted) -> tuple[tuple[HealthCheck, ...], tuple[NotHere, ...]]:
    limits = {**DEFAULT_LATENCY_MS, **wanted.latency_ms}
    addresses = wanted.health or health_urls(wanted.api_url, wanted.frontend_url)
    checks, missing = [], []
    for name, url in addresses.items():
        if name in ("backend", "frontend") or wanted.profile == "guide" or wanted.checker:
            checks.append(_health_check(wanted, name, url, limits[name]))
        else:
            missing.append(NotHere(name=name, kind="health", reason=_APPLICATION_ALONE))
    if wanted.profile == "application" and wanted.version is not None:
        checks.append(_version(wanted, limits["backend"]))
    return tuple(checks), tuple(missing)


def _health_check(wanted: Wanted, name: str, url: str, limit_ms: int) -> HealthCheck:
    if name == "frontend":
        return HealthCheck(name=name, url=url, body_contains="<html", max_latency_ms=limit_ms)
    if name == "backend":
        second = (
            JsonAssertion(field="version", equals=wanted.version, type="string")
            if wanted.profile == "guide"
            else JsonAssertion(field="database", equals="connected")
        )
    else:
        second = JsonAssertion(field="latency_ms", type="number", at_most=limit_ms)
    # OpenAI is others': while it is away the release is degraded, and `/health` says so of the whole.
    return HealthCheck(
        name=name,
        url=url,
        assertions=(JsonAssertion(field="status", equals="healthy"), second),
        max_latency_ms=limit_ms,
        critical=name != "openai",
        excused_by=("openai",) if name == "backend" else (),
    )


def _version(wanted: Wanted, limit_ms: int) -> HealthCheck:
    """The application says its version at its root; its `/health` has none."""
    said = JsonAssertion(field="version", equals=wanted.version)
    url = f"{wanted.api_url.rstrip('/')}/"
    return HealthCheck(name="version", url=url, assertions=(said,), max_latency_ms=limit_ms)


def _keys(token: TokenSource) -> tuple[KeyCheck, ...]:
    """Supabase's two; OpenAI's is asked for by its health address."""
    if token.supabase_url is None:
        return ()
    # Behind the gateway that looks at the key, whatever its role, and free of anybody's data.
    url = f"{token.supabase_url.rstrip('/')}/auth/v1/settings"
    keys = (("supabase-key", token.anon_key_env), ("supabase-service-key", token.service_key_env))
    return tuple(KeyCheck(name=name, url=url, secret=name, key_env=variable) for name, variable in keys)


def _rows(*, critical: bool) -> tuple[RowCheck, ...]:
    columns = {"tenant_id": "${event_tenant}", "hash": "${event_hash}"} if critical else {}
    return (
        RowCheck(
            name="event-row",
            query="SELECT tenant_id::text, hash, event_type FROM public.roche_audit_logs"
            " WHERE id = %(id)s::uuid",
            parameters={"id": "${event_id}"},
            expect={"event_type": "test_event", **columns},
            critical=critical,
        ),
        RowCheck(
            name="embeddings-current",
            query="SELECT count(*) AS waiting FROM public.roche_audit_logs AS e"
            " WHERE e.timestamp < now() - interval '30 minutes' AND NOT EXISTS"
            " (SELECT FROM public.audit_embeddings AS m WHERE m.audit_event_id = e.id)",
            expect={"waiting": 0},
            critical=False,
        ),
    )
