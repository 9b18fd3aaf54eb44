"""What strangers sent, made fit to be shown: short, one line, nothing a terminal would obey. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

SHOWN_CHARACTERS = 120
REASON_CHARACTERS = 400

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
    """The text in one line without control and direction characters, cut to `limit` characters."""
    line = "".join(
        " " if character.isspace() else character if unicodedata.category(character)[0] != "C" else "?"
        for character in text[: limit * 2]
    )
    return line if len(line) <= limit and len(text) <= limit * 2 else line[:limit] + "…"


def value(content: Any) -> str:
    """A JSON value as short text."""
    return plain(json.dumps(content, ensure_ascii=False), SHOWN_CHARACTERS)


def masked(line: str) -> str:
    """The line without what looks like a key, a token or a password. To be cut afterwards, not before."""
    return _SECRETS.sub(lambda found: f"{found['name'] or ''}***", line)
