"""What strangers sent, made fit to be shown: short, one line, no secret, nothing a terminal would obey."""

from __future__ import annotations

import json
import re
import unicodedata
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SHOWN_CHARACTERS = 120
REASON_CHARACTERS = 400
_LOOKED_AT = 50
"""So many times the characters that are shown: what is masked makes a text shorter."""

KNOWN: ContextVar[Collection[str]] = ContextVar("KNOWN", default=frozenset())
"""The secrets that a run holds, for whoever shortens a text in it: half of one is not recognised any more."""

# Each alternative takes in all that it looked at: a line of megabytes is read once, whatever stands in it.
_SECRETS = re.compile(
    r"""
    (?-i:eyJ)[\w-]{6,}(?:\.[\w-]*){0,2}             # a JWT, or its beginning
    | \bsk-[\w-]{8,}
    | (?<=/services/)T\w+/B\w+/\w+                   # a webhook of Slack
    | ://[^\s/]*@
    | \bbearer\s+[\w.~+/=-]{16,}
    | (?P<name>
        (?:passw(?:or)?d|passphrase|secret|token|authorization|api[_-]?key|_key|_salt)
        \\*["']?\s*[=:]\s*
      )
      (?: (?P<quote>\\*["']) .*? (?:(?<!\\)(?P=quote)|$) | (?:(?:bearer|basic)\s+)?\S+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def plain(text: str, limit: int = REASON_CHARACTERS) -> str:
    """The text in one line without secrets, control and direction characters, cut to `limit` characters."""
    shown = hidden(text, KNOWN.get(), limit * _LOOKED_AT)
    line = "".join(
        " " if character.isspace() else character if unicodedata.category(character)[0] != "C" else "?"
        for character in shown[: limit + 1]
    )
    return line if len(line) <= limit else line[:limit] + "…"


def value(content: Any) -> str:
    """A JSON value as short text."""
    return plain(json.dumps(content, ensure_ascii=False), SHOWN_CHARACTERS)


def hidden(text: str, secrets: Iterable[str], limit: int | None = None) -> str:
    """The text without these secrets, and then without what looks like one. To be cut afterwards, not before.

    Of one that is longer than `limit` characters without them the rest is left out: looking takes its time.
    """
    return masked(_redacted(text, secrets)[:limit])


def masked(line: str) -> str:
    """The line without what looks like a key, a token or a password. To be cut afterwards, not before."""
    return _SECRETS.sub(lambda found: f"{found['name'] or ''}***", line)


def _redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, the longest first: one may contain another."""
    written = {form for secret in secrets if secret for form in _forms(secret)}
    for secret in sorted(written, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _forms(secret: str) -> tuple[str, ...]:
    """It, and how it stands in JSON and in an address."""
    return (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
    )
