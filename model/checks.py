"""The checks of a release as data: what is asked, what must come back, and where the token comes from.

The stack renders a :class:`ChecksFile` into a ConfigMap, the gate's Job and the operator's shell run it: both
mean the same by "healthy". Nothing here does input or output, and nothing here is secret: a token source
names environment variables, never values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKS_SCHEMA: Literal[1] = 1
"""Version of the file's format. A runner refuses one it does not know."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(?:[/?#]\S*)?$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
JsonType = Literal["string", "number", "integer", "boolean", "array", "object"]

DEFAULT_LATENCY_MS: Mapping[str, int] = {
    "backend": 1_000,
    "database": 1_000,
    "redis": 1_000,
    "openai": 5_000,
    "frontend": 2_000,
}
"""Milliseconds within which a health address has to answer, by its key in the stack's `health_urls`."""

FUNCTIONAL_LATENCY_MS = 5_000


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class JsonAssertion(_Strict):
    """What one field of a JSON answer must be. `field` is a dotted path: `events.0.id`, `status`.

    At least one of the conditions is given; all that are given must hold. `at_most` compares numbers,
    `matches` is a regular expression that must match a string from its beginning to its end.
    """

    field: Annotated[str, StringConstraints(min_length=1)]
    equals: JsonValue = None
    type: JsonType | None = None
    at_most: float | None = None
    matches: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.equals is None and self.type is None and self.at_most is None and self.matches is None:
            raise ValueError(
                f"the assertion on {self.field!r} has no condition: give equals, type, at_most or matches"
            )
        return self


class HealthCheck(_Strict):
    """A GET whose status, JSON fields and time are judged.

    `/health` answers 200 whatever the state, so the code alone proves nothing: `assertions` do.
    `max_latency_ms` is the time from sending the request to the last byte of the answer.
    """

    name: Name
    url: Url
    expect_status: int = 200
    assertions: tuple[JsonAssertion, ...] = ()
    body_contains: str | None = None
    max_latency_ms: int | None = Field(default=None, gt=0)


class FunctionalCall(_Strict):
    """A call that has to do its work: method, body, the token or none, what must come back."""

    name: Name
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Url
    body: JsonValue = None
    auth: bool = True
    expect_status: int = 200
    assertions: tuple[JsonAssertion, ...] = ()
    max_latency_ms: int | None = Field(default=FUNCTIONAL_LATENCY_MS, gt=0)


class TokenSource(_Strict):
    """Where the bearer token comes from: `token_env`, or a password grant at Supabase auth.

    The grant is used where `token_env` is unset: POST `{supabase_url}/auth/v1/token?grant_type=password`.
    All `*_env` are names of environment variables.
    """

    token_env: EnvName = "ORKA_TOKEN"  # noqa: S105 - the name of a variable
    supabase_url: Url | None = None
    anon_key_env: EnvName = "SUPABASE_KEY"
    email_env: EnvName = "ORKA_CHECK_EMAIL"
    password_env: EnvName = "ORKA_CHECK_PASSWORD"  # noqa: S105 - the name of a variable


class ChecksFile(_Strict):
    """All checks of one release, in the order in which they run: health first."""

    schema_version: Literal[1] = CHECKS_SCHEMA
    release_id: str
    token: TokenSource = TokenSource()
    health: tuple[HealthCheck, ...]
    functional: tuple[FunctionalCall, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [check.name for check in self.health] + [call.name for call in self.functional]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"two checks share a name: {', '.join(double)}")
        if not names:
            raise ValueError("a file without checks proves nothing")
        return self


def health_urls(api_url: str, frontend_url: str) -> dict[str, str]:
    """Return the guide's four health addresses and the frontend's, by the names the stack exports."""
    api, frontend = api_url.rstrip("/"), frontend_url.rstrip("/")
    return {
        "backend": f"{api}/health",
        "database": f"{api}/health/db",
        "redis": f"{api}/health/redis",
        "openai": f"{api}/health/openai",
        "frontend": f"{frontend}/",
    }


def default_checks(
    api_url: str,
    frontend_url: str,
    *,
    release_id: str,
    token: TokenSource | None = None,
    health: Mapping[str, str] | None = None,
    latency_ms: Mapping[str, int] | None = None,
) -> ChecksFile:
    """Return the guide's four health checks, the frontend's, and the guide's four functional calls.

    Args:
        api_url: base of the API, as reached from where the checks run.
        frontend_url: base of the frontend, likewise.
        release_id: written into the result.
        token: source of the bearer token of the functional calls.
        health: the health addresses by name; those of `health_urls` when not given.
        latency_ms: overrides of `DEFAULT_LATENCY_MS`, by the same keys.
    """
    limits = {**DEFAULT_LATENCY_MS, **(latency_ms or {})}
    addresses = health or health_urls(api_url, frontend_url)
    return ChecksFile(
        release_id=release_id,
        token=token or TokenSource(),
        health=tuple(_health(name, url, limits[name]) for name, url in addresses.items()),
        functional=_guide_calls(f"{api_url.rstrip('/')}/api/audit"),
    )


def render(checks: ChecksFile) -> str:
    """Return the canonical JSON: same checks, same bytes. `ChecksFile.model_validate_json` reads it."""
    document = checks.model_dump(mode="json", exclude_none=True)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _health(name: str, url: str, limit_ms: int) -> HealthCheck:
    if name == "frontend":
        return HealthCheck(name=name, url=url, body_contains="<html", max_latency_ms=limit_ms)
    second = (
        JsonAssertion(field="version", type="string")
        if name == "backend"
        else JsonAssertion(field="latency_ms", type="number", at_most=limit_ms)
    )
    assertions = (JsonAssertion(field="status", equals="healthy"), second)
    return HealthCheck(name=name, url=url, assertions=assertions, max_latency_ms=limit_ms)


def _guide_calls(base: str) -> tuple[FunctionalCall, ...]:
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    question = "Show me all budget changes"
    return (
        FunctionalCall(
            name="create-event",
            method="POST",
            url=f"{base}/events",
            body={
                "event_type": "test_event",
                "entity_type": "test",
                "entity_id": "123",
                "severity": "info",
                "action_details": {"test": "data"},
            },
            expect_status=201,
            assertions=(
                JsonAssertion(field="id", matches=uuid),
                JsonAssertion(field="timestamp", type="string"),
                JsonAssertion(field="tenant_id", matches=uuid),
                JsonAssertion(field="hash", matches="[0-9a-f]{64}"),
            ),
        ),
        FunctionalCall(
            name="read-events",
            url=f"{base}/events",
            assertions=(
                JsonAssertion(field="events.0.id", matches=uuid),
                JsonAssertion(field="total", type="integer"),
            ),
        ),
        FunctionalCall(
            name="read-anomalies",
            url=f"{base}/anomalies",
            assertions=(
                JsonAssertion(field="anomalies", type="array"),
                JsonAssertion(field="total", type="integer"),
            ),
        ),
        FunctionalCall(
            name="semantic-search",
            method="POST",
            url=f"{base}/search",
            body={"query": question},
            assertions=(
                JsonAssertion(field="query", equals=question),
                JsonAssertion(field="results", type="array"),
                JsonAssertion(field="total_results", type="integer"),
            ),
        ),
    )
