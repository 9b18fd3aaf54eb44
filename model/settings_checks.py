"""Checks of the stack file's own: those of `ops checks --from-file`, in the stack file's spelling.

A path stands in place of an address, since gate and shell ask the same by different ones.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from model.check_kinds import Check, FunctionalCall, HealthCheck, JsonAssertion
from model.settings_base import Text, kebab

CLOSED = ("/debug", "/docs", "/redoc", "/openapi.json", "/metrics")
"""What the edge leads nobody to."""
API = "/api"
"""What it leads to the backend, under both hosts."""

_SPELLING = ConfigDict(alias_generator=kebab, hide_input_in_errors=True)

ApiPath = Annotated[
    str,
    Text(
        rf"{API}/[^\s#]*", f"expected a path under {API}/, perhaps with a query: the edge leads no other here"
    ),
]
HealthPath = Annotated[
    str,
    Text(
        r"/|(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+",
        "expected an absolute path like /health/queue, without a query and a slash at the end",
    ),
]
Status = Annotated[int, Field(ge=100, le=599)]
Own = TypeVar("Own", bound=Check)


class Assertion(JsonAssertion):
    """What one field of a JSON answer must be."""

    model_config = _SPELLING

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude={"field"}, exclude_none=True):
            message = "has no condition: give equals, type, at-most, matches, holds, lacks or each"
            raise ValueError(message)
        return self


class OwnHealth(HealthCheck):
    """A health address of the API, or of the frontend: its path, status, JSON fields, text and time."""

    model_config = _SPELLING

    host: Literal["api", "frontend"] = "api"
    url: HealthPath = Field(alias="path")
    expect_status: Status = 200
    assertions: tuple[Assertion, ...] = ()

    @model_validator(mode="after")
    def _is_led_there(self) -> Self:
        if self.host == "api" and (closed := next((path for path in CLOSED if _under(self.url, path)), None)):
            message = f"the edge keeps {closed} closed: give another path"
            raise ValueError(message)
        if self.host == "frontend" and _under(self.url, API):
            message = f"the edge leads {API} of the frontend's host to the API: give another path"
            raise ValueError(message)
        return self

    def at(self, url: str) -> HealthCheck:
        """The check of that address."""
        return HealthCheck.model_validate({**self.model_dump(exclude={"host"}), "url": url})


class OwnCall(FunctionalCall):
    """A call of the API; what it captures later ones may use, as `${event_id}`."""

    model_config = _SPELLING

    url: ApiPath = Field(alias="path")
    expect_status: Status = 200
    assertions: tuple[Assertion, ...] = ()

    def at(self, base: str) -> FunctionalCall:
        """The call under that base."""
        return FunctionalCall.model_validate({**self.model_dump(), "url": f"{base}{self.url}"})


def _under(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/")


def _differ(checks: tuple[Own, ...]) -> tuple[Own, ...]:
    names = [check.name for check in checks]
    if double := sorted({name for name in names if names.count(name) > 1}):
        message = f"two entries are called {', '.join(double)}: give each a name of its own"
        raise ValueError(message)
    return checks


OwnHealthList = Annotated[tuple[OwnHealth, ...], AfterValidator(_differ)]
OwnCallList = Annotated[tuple[OwnCall, ...], AfterValidator(_differ)]


def extended(profile: tuple[Own, ...], own: tuple[Own, ...]) -> tuple[Own, ...]:
    """The profile's checks and the own ones: one of a profile's name takes its place, others come after."""
    places = {check.name for check in profile}
    instead = {check.name: check for check in own}
    return (
        *(instead.get(check.name, check) for check in profile),
        *(check for check in own if check.name not in places),
    )
