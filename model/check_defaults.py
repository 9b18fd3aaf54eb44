"""The default checks of a release: the guide's, or those that fit the application as it is today.

The gate asks Services by their names; the operator's shell asks through the edge, and the cluster too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from model.check_calls import application_calls, guide_calls, token_calls
from model.check_health import health
from model.check_kinds import FunctionalCall, Kind, LatencyCheck
from model.check_rows import rows
from model.check_shell import GATE_LEAVES_OUT, Deployed, events, host, shell_checks
from model.check_surroundings import (
    BROWSER_NAMESPACES,
    AssetsCheck,
    BundleCheck,
    CatalogCheck,
    KeyCheck,
    NotHere,
)
from model.checks import ChecksFile, TokenSource
from model.job_effects import Task, effects
from model.settings_checks import extended

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from model.check_surroundings import RowCheck
    from model.settings_checks import OwnCall, OwnHealth

Profile = Literal["guide", "application", "own"]
"""Whose calls and health addresses; `own` are none but those that the stack file lists."""

CONTRACT = "sql/contract.yaml"
"""What the database's catalog is compared with, in a checkout."""

API_TARGETS_MS = (100, 200)
"""The median and the 95th percentile of reading events."""

_READING: tuple[tuple[str, Kind], ...] = (("api-latency", "latency"), ("browser", "browser"))
_NOTHING_TO_READ = tuple(
    NotHere(name=name, kind=kind, reason="no call of `verification.functional` is a GET that needs no other")
    for name, kind in _READING
)
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
    the application lacks are answered, `provided` of which of them somebody says who does; `own_health` and
    `own_functional` are the stack file's checks; `ran` says of the jobs that have just been run when that
    began, `own_effects` what is asked after them instead of the built-in question. `deployed` is None in the
    gate, which cannot ask the cluster.
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
    provided: Collection[str] = ()
    own_health: tuple[OwnHealth, ...] = ()
    own_functional: tuple[OwnCall, ...] = ()
    ran: Mapping[Task, str] = field(default_factory=dict)
    own_effects: Mapping[Task, str] = field(default_factory=dict)
    contract: str = CONTRACT
    deployed: Deployed | None = None


def default_checks(wanted: Wanted) -> ChecksFile:
    """Return the default checks for one place and one profile."""
    checked, missing = health(wanted)
    functional = _functional(wanted)
    read = _read(wanted, functional)
    database, no_row = _rows(wanted, functional)
    missing += no_row
    page = f"{wanted.frontend_url.rstrip('/')}/"
    own = (host(wanted.api_url), host(wanted.frontend_url))
    hosts = None if wanted.hosts is None else tuple(sorted({*wanted.hosts, *own}))
    lists: dict[str, Any] = {
        "health": checked,
        "functional": functional,
        "assets": (AssetsCheck(name="frontend-assets", url=page),),
        "catalog": (CatalogCheck(name="catalog", contract=wanted.contract),),
        "database": (*database, *effects(wanted.ran, wanted.own_effects)),
        "key": _keys(wanted.token),
    }
    if read is None:
        missing += _NOTHING_TO_READ
    else:
        lists["latency"] = (_latency(wanted, read),)
    if hosts is None:
        missing += _NOBODY_SAYS
    else:
        named = tuple(sorted({*hosts, *BROWSER_NAMESPACES}))
        lists["bundle"] = (BundleCheck(name="bundle-hosts", url=page, hosts=named),)
    if wanted.deployed is None:
        missing += GATE_LEAVES_OUT
    else:
        lists |= shell_checks(
            wanted.api_url, wanted.frontend_url, wanted.deployed, hosts=hosts, read=read,
        )  # fmt: skip
    not_here = tuple({entry.name: entry for entry in missing}.values())
    return ChecksFile(release_id=wanted.release_id, token=wanted.token, not_here=not_here, **lists)


def _functional(wanted: Wanted) -> tuple[FunctionalCall, ...]:
    """The profile's calls with the stack file's own."""
    api = wanted.api_url.rstrip("/")
    base, guide = f"{api}/api/audit", wanted.profile == "guide"
    calls = (guide_calls if guide else application_calls)(base) + token_calls(base, critical=guide)
    own = tuple(call.at(api) for call in wanted.own_functional)
    return own if wanted.profile == "own" else extended(calls, own)


def _read(wanted: Wanted, functional: tuple[FunctionalCall, ...]) -> str | None:
    """What the page calls too, and whose time has targets: the newest events, or the first own call fit."""
    if wanted.profile != "own":
        return events(wanted.api_url)
    plain = (call for call in functional if call.method == "GET" and call.auth and call.caller == "checker")
    return next(
        (call.url for call in plain if call.expect_status == HTTPStatus.OK and "${" not in call.url), None
    )


def _rows(
    wanted: Wanted, functional: tuple[FunctionalCall, ...]
) -> tuple[tuple[RowCheck, ...], tuple[NotHere, ...]]:
    captured = {name for call in functional for name in call.capture}
    own = wanted.profile == "own" or "create-event" in {call.name for call in wanted.own_functional}
    return rows(captured, None if own else "test_event", critical=wanted.profile != "application")


def _latency(wanted: Wanted, url: str) -> LatencyCheck:
    p50, p95 = wanted.api_targets_ms
    return LatencyCheck(name="api-latency", url=url, p50_ms=p50, p95_ms=p95, critical=False)


def _keys(token: TokenSource) -> tuple[KeyCheck, ...]:
    """Supabase's two; OpenAI's is asked for by its health address."""
    if token.supabase_url is None:
        return ()
    # Behind the gateway that looks at the key, whatever its role, and free of anybody's data.
    url = f"{token.supabase_url.rstrip('/')}/auth/v1/settings"
    keys = (("supabase-key", token.anon_key_env), ("supabase-service-key", token.service_key_env))
    return tuple(KeyCheck(name=name, url=url, secret=name, key_env=variable) for name, variable in keys)
