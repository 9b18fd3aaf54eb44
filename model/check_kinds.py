"""What can be checked over HTTP, as data: health addresses, calls that do their work, their assertions.

Texts of a call may name what an earlier call gave: `${event_id}` is filled in before it is sent or judged.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)


def _compiled(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(?:[/?#]\S*)?$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Captured = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
JsonType = Literal["string", "number", "integer", "boolean", "array", "object"]
Pattern = Annotated[str, AfterValidator(_compiled)]
Caller = Literal["checker", "garbage", "wrong-signature", "unsigned", "expired", "other-tenant"]
Kind = Literal[
    "health",
    "functional",
    "tls",
    "dns",
    "assets",
    "bundle",
    "browser",
    "latency",
    "pods",
    "cron-jobs",
    "logs",
    "catalog",
    "database",
    "key",
]

FUNCTIONAL_LATENCY_MS = 5_000


class ChecksModel(BaseModel):
    """The base of everything in a file of checks: frozen, no conversions, no unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Check(ChecksModel):
    """What every check has.

    A red check that is not `critical` degrades the release, no more. `excused_by` names checks that
    are not critical: while one of them is red, this one's failure says nothing about the release. Of a health
    address that holds for a wrong `status` alone.
    """

    name: Name
    critical: bool = True
    excused_by: tuple[Name, ...] = ()


class JsonAssertion(ChecksModel):
    """What one field of a JSON answer must be. `field` is a dotted path: `events.0.id`, `status`.

    At least one of the conditions is given; all that are given must hold. `at_most` compares numbers,
    `matches` is a regular expression that must match a string from its beginning to its end. Of an array of
    objects, `holds` wants one with these values, `lacks` none, and `each` all of them.
    """

    field: Annotated[str, StringConstraints(min_length=1)]
    equals: JsonValue = None
    type: JsonType | None = None
    at_most: float | None = None
    matches: Pattern | None = None
    holds: dict[str, JsonValue] | None = None
    lacks: dict[str, JsonValue] | None = None
    each: dict[str, JsonValue] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        conditions = (
            self.equals, self.type, self.at_most, self.matches, self.holds, self.lacks, self.each,
        )  # fmt: skip
        if all(condition is None for condition in conditions):
            raise ValueError(
                f"the assertion on {self.field!r} has no condition: give equals, type, at_most, matches,"
                " holds, lacks or each"
            )
        return self


class HealthCheck(Check):
    """A GET whose status, JSON fields and time are judged.

    `/health` answers 200 whatever the state, so the code alone proves nothing: `assertions` do.
    `max_latency_ms` is the time from sending the request to the last byte of the answer.
    """

    url: Url
    expect_status: int = 200
    assertions: tuple[JsonAssertion, ...] = ()
    body_contains: str | None = None
    max_latency_ms: int | None = Field(default=None, gt=0)


class FunctionalCall(Check):
    """A call that has to do its work: method, body, whose token or none, what must come back.

    `capture` keeps fields of a good answer under names that later calls and rows may use. `deadline_s` are
    the seconds that the call may take with all its `attempts`. What is left out is the run's, whose deadline
    and time of one attempt hold for every call.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Url
    body: JsonValue = None
    auth: bool = True
    caller: Caller = "checker"
    expect_status: int = 200
    assertions: tuple[JsonAssertion, ...] = ()
    capture: dict[Captured, str] = Field(default_factory=dict)
    max_latency_ms: int | None = Field(default=FUNCTIONAL_LATENCY_MS, gt=0)
    deadline_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    attempts: int | None = Field(default=None, ge=1)


class LatencyCheck(Check):
    """The same GET several times in turn, with the checker's token: the median and the 95th percentile."""

    url: Url
    samples: int = Field(default=20, ge=1, le=200)
    p50_ms: int = Field(gt=0)
    p95_ms: int = Field(gt=0)
