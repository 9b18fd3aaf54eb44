"""The base of every settings model, and the formats that several of them share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Strict(BaseModel):
    """Frozen, kebab-case, no unknown keys, no conversions, and never an input value in an error."""

    model_config = ConfigDict(
        alias_generator=_kebab,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        strict=True,
    )


def _not_a_tag(repository: str) -> str:
    if ":" in repository.rpartition("/")[2]:
        message = "give the repository without a tag: a tag can be moved, so the image is named by `digest`"
        raise ValueError(message)
    return repository


def _plain_http_only_inside(url: str) -> str:
    if url.rstrip("/") != url:
        message = "leave out the slash at the end"
        raise ValueError(message)
    return url


def _five_fields(schedule: str) -> str:
    if len(schedule.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        message = "a cron schedule has five fields: minute hour day month weekday"
        raise ValueError(message)
    return schedule


Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
HostName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
]
HttpUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"),
    AfterValidator(_plain_http_only_inside),
]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")]
Repository = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.:-]+(/[a-z0-9._-]+)+(:[\w.-]+)?$"), AfterValidator(_not_a_tag)
]
Schedule = Annotated[str, AfterValidator(_five_fields)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
