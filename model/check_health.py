"""The checks of the health addresses: the guide's four and the page, and those that the stack file adds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model.check_kinds import HealthCheck, JsonAssertion
from model.check_surroundings import NotHere
from model.health import health_urls
from model.settings_checks import extended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.check_defaults import Wanted
    from model.settings_checks import OwnHealth

DEFAULT_LATENCY_MS: Mapping[str, int] = {
    "backend": 1_000,
    "database": 1_000,
    "redis": 1_000,
    "openai": 5_000,
    "frontend": 2_000,
}
"""Milliseconds within which a health address has to answer, by its key in the stack's `health_urls`."""

_APPLICATION_ALONE = "the application has no such address; `verification.checker: true` answers it"


def health(wanted: Wanted) -> tuple[tuple[HealthCheck, ...], tuple[NotHere, ...]]:
    """Return the profile's checks with the stack file's own, and what nobody answers."""
    limits = {**DEFAULT_LATENCY_MS, **wanted.latency_ms}
    addresses = wanted.health or health_urls(wanted.api_url, wanted.frontend_url)
    own = tuple(check.at(_address(wanted, check, addresses)) for check in wanted.own_health)
    if wanted.profile == "own":
        return own, ()
    checks, missing = [], []
    for name, url in addresses.items():
        there = name in ("backend", "frontend") or name in wanted.provided
        if there or wanted.profile == "guide" or wanted.checker:
            checks.append(_check(wanted, name, url, limits[name]))
        elif name not in {check.name for check in own}:
            missing.append(NotHere(name=name, kind="health", reason=_APPLICATION_ALONE))
    if wanted.profile == "application" and wanted.version is not None:
        checks.append(_version(wanted, limits["backend"]))
    return extended(tuple(checks), own), tuple(missing)


def _address(wanted: Wanted, check: OwnHealth, addresses: Mapping[str, str]) -> str:
    """Where it is asked: one of the known addresses may be the checker's."""
    if check.host == "frontend":
        return f"{wanted.frontend_url.rstrip('/')}{check.url}"
    known = (url for name, url in addresses.items() if name != "frontend")
    return next(
        (url for url in known if urlsplit(url).path == check.url), f"{wanted.api_url.rstrip('/')}{check.url}"
    )


def _check(wanted: Wanted, name: str, url: str, limit_ms: int) -> HealthCheck:
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
