"""The base of every settings model, and the formats that several of them share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from model.check_kinds import Pattern
from model.schedule import longest_gap_s

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler


def kebab(name: str) -> str:
    """A key as the stack file spells it."""
    return name.replace("_", "-")


class Strict(BaseModel):
    """Frozen, kebab-case, no unknown keys, no conversions, and never an input value in an error."""

    model_config = ConfigDict(
        alias_generator=kebab,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        strict=True,
    )


@dataclass(frozen=True)
class Text:
    """A whole text that matches a pattern. Its message says what is expected; editors get the pattern."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """The text's own schema, then the pattern."""
        return core_schema.no_info_after_validator_function(self._matched, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """What an editor checks."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$", "description": self.expected}

    def _matched(self, value: str) -> str:
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(self.expected)
        return value


def _not_a_tag(repository: str) -> str:
    if ":" in repository.rpartition("/")[2]:
        message = "give the repository without a tag: a tag can be moved, so the image is named by `digest`"
        raise ValueError(message)
    return repository


def an_address(url: str) -> str:
    """The URL, where its host and its port can be told; network policies are made of them."""
    try:
        parts = urlsplit(url)
        told = parts.hostname and parts.port != 0
    except ValueError:
        told = False
    if not told:
        message = "names no host, or a port that is not between 1 and 65535"
        raise ValueError(message)
    return url


def _plain_http_only_inside(url: str) -> str:
    if url.rstrip("/") != url:
        message = "leave out the slash at the end"
        raise ValueError(message)
    parts = urlsplit(url)
    if parts.scheme == "http" and not inside(parts.hostname or ""):
        message = "use https://: plain http is only for a private address or a Service of the cluster"
        raise ValueError(message)
    return url


def inside(host: str) -> bool:
    """Whether that is a private address, or a Service of the cluster."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host.endswith((".svc", ".svc.cluster.local"))


def _not_every_line(pattern: str) -> str:
    if re.search(pattern, ""):
        message = "matches every line: name what is known and harmless"
        raise ValueError(message)
    return pattern


def _runs(schedule: str) -> str:
    longest_gap_s(schedule)
    return schedule


Digest = Annotated[str, Text(r"sha256:[0-9a-f]{64}", "expected sha256: and 64 hex digits")]
DnsLabel = Annotated[
    str,
    Text(
        r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
        "expected a name of at most 63 lower-case letters, digits and hyphens, as in DNS",
    ),
]
HostName = Annotated[
    str,
    Text(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+",
        "expected a host name like api.example.com: no scheme, no port, no path",
    ),
]
HttpUrl = Annotated[
    str,
    Text(
        r"https?://[^\s/?#@]+(/[^\s?#]*)?", "expected https://HOST, perhaps with a path; no login, no query"
    ),
    AfterValidator(an_address),
    AfterValidator(_plain_http_only_inside),
]
LinePattern = Annotated[Pattern, AfterValidator(_not_every_line)]
Origin = Annotated[
    str,
    Text(
        r"https://[a-z0-9.-]+(:[0-9]{1,5})?",
        "expected an origin like https://app.example.com: https, no path, and never *, which lets all in",
    ),
    AfterValidator(an_address),
]
Quantity = Annotated[
    str, Text(r"[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?", "expected a quantity like 250m or 512Mi")
]
# A thousandth of a byte is nothing that a container could use: 512m is a slip for 512Mi.
Memory = Annotated[
    str, Text(r"[0-9]+(\.[0-9]+)?(k|Ki|M|Mi|G|Gi)?", "expected an amount of memory like 512Mi or 1Gi")
]
Repository = Annotated[
    str,
    Text(
        r"[a-z0-9.:-]+(/[a-z0-9._-]+)+(:[\w.-]+)?",
        "expected a repository with its registry, like registry.example.com/app",
    ),
    AfterValidator(_not_a_tag),
]
Schedule = Annotated[str, AfterValidator(_runs)]
VariableName = Annotated[
    str, Text(r"[A-Z_][A-Z0-9_]*", "expected the name of a variable: capitals, digits and underscores")
]
Path = Annotated[str, Text(r"/[^\s?#]*", "expected an absolute path like /health")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
