"""Rules between settings, and between settings and secrets: each is right alone, together they are not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model import sentry
from model.own_check_faults import own_check_faults
from model.reachability import ANYWHERE, allows, built_in, outside
from model.registry_faults import registry_faults
from model.secrets import SECRETS
from model.variable_faults import OWN_VARIABLES, variable_faults
from model.variables import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from model.settings import Settings

DEFAULT_DATABASE_PORT = 5432


def crossing_faults(
    settings: Settings, secrets: Mapping[str, str | None], *, partial: bool = False
) -> list[str]:
    """Every such fault, by the path of its key within the project; no value of a secret is in a message.

    Of partial settings a rule says what it can: groups that are wrong by themselves are not there.
    """
    rules = (
        _frontend(settings),
        _origins(settings),
        _database_port(settings, secrets),
        _destination_names(settings),
        _database_address(settings, secrets),
        _aliases(settings),
        variable_faults(settings, secrets),
        _logging(settings),
        _sentry(settings, secrets),
        registry_faults(settings, secrets),
        own_check_faults(settings, secrets),
    )
    return [fault for rule in rules for fault in (_possible(rule) if partial else rule)]


def _possible(rule: Iterator[str]) -> Iterator[str]:
    with contextlib.suppress(AttributeError):
        yield from rule


def _logging(settings: Settings) -> Iterator[str]:
    if settings.logging.sink != "none" and settings.images.fluentd is None:
        yield "images.fluentd is missing: give its repository and digest, or set logging.sink to none"


def _sentry(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    dsn = secrets.get("sentry-dsn")
    if dsn is None or sentry.dsn_fault(dsn) is not None:
        return
    host, port = sentry.host_and_port(dsn)
    named = any(host in each.hosts and each.port == port for each in settings.network.further.values())
    # Where a service may be anywhere, its port is open to everybody's.
    destinations = outside(settings)
    anywhere = {
        port
        for name in ("supabase", "openai")
        if ANYWHERE[0] in destinations[name].ranges
        for port in destinations[name].ports
    }
    if not named and port not in anywhere:
        yield (
            "network.further lacks the host of sentry-dsn, so that no pod reaches it: "
            "add sentry: { hosts: [HOST], port: PORT }"
        )


def _frontend(settings: Settings) -> Iterator[str]:
    if settings.frontend.target == "external":
        if settings.frontend.url is None:
            yield "frontend.url is missing: give the origin of the frontend that is hosted elsewhere"
        return
    if settings.frontend.url is not None:
        yield "frontend.url is for target: external; here edge.frontend-host says it: remove one of the two"
    if settings.images.frontend is None:
        yield "images.frontend is missing: give its repository, or set frontend.target to external"
    if settings.edge.frontend_host is None:
        yield "edge.frontend-host is missing: give its host, or set frontend.target to external"
    if settings.edge.frontend_host == settings.edge.api_host:
        # Both have /api, which an ingress controller takes for one host once.
        yield (
            "edge.frontend-host is that of the API: two Ingresses would claim /api of the same host; "
            "give each a host of its own (the frontend's has /api too)"
        )


def _origins(settings: Settings) -> Iterator[str]:
    known = settings.frontend.url or settings.edge.frontend_host
    if known and settings.frontend_url not in settings.backend.cors_origins:
        yield (
            f"backend.cors-origins lacks the frontend's own origin: add {settings.frontend_url}, "
            "or correct edge.frontend-host (frontend.url, where it is external)"
        )


def _database_url(secrets: Mapping[str, str | None]) -> str | None:
    """Where it is right by itself."""
    url = secrets.get("database-admin-url")
    rule = next(spec.rule for spec in SECRETS if spec.key == "database-admin-url")
    return url if url is not None and rule(url) is None else None


def _database_address(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    url = _database_url(secrets)
    host = urlsplit(url or "").hostname or ""
    # As part of a secret it stands in a policy, which everybody may read, only where somebody writes it.
    with contextlib.suppress(ValueError):
        if not allows(outside(settings)["database"], host):
            yield (
                "network.database.cidrs lacks the address in database-admin-url, and private ones are closed "
                "unless they are named: no pod could reach the database; add it as ADDRESS/32 (IPv6: /128)"
            )


def _database_port(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    url = _database_url(secrets)
    if url is None:
        return
    allowed = settings.network.database.port
    if (urlsplit(url).port or DEFAULT_DATABASE_PORT) != allowed:
        yield (
            f"network.database.port is {allowed}, but database-admin-url names another: "
            "no pod could reach the database; give both the same port"
        )


def _destination_names(settings: Settings) -> Iterator[str]:
    for name in sorted(built_in(settings).intersection(settings.network.further)):
        yield (
            f"network.further.{name}: {name} is a part or a destination of the stack itself, "
            "whose connections it would take away: choose another name"
        )


def _aliases(settings: Settings) -> Iterator[str]:
    backend = settings.backend
    contract = backend.contract
    known = {*OWN_VARIABLES, *plain(settings), *contract.env, *contract.secret_env, *backend.env}
    for alias, name in backend.contract.aliases.items():
        if name not in known:
            yield f"backend.contract.aliases.{alias}: no variable is called {name}: name one that is"
