"""Say what went wrong without saying a secret. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    import psycopg

_URL = re.compile(r"postgres(?:ql)?://\S+", re.IGNORECASE)
_PASSWORD_PAIR = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)
HIDDEN = "***"


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without connection URLs, `password=` pairs and the given secrets in any of their spellings."""
    text = _URL.sub(HIDDEN, text)
    text = _PASSWORD_PAIR.sub(rf"\1{HIDDEN}", text)
    spellings = {
        form
        for secret in secrets
        for form in (secret, quote(secret, safe=""), quote_plus(secret), unquote(secret))
    }
    for spelling in sorted(spellings - {""}, key=len, reverse=True):
        text = text.replace(spelling, HIDDEN)
    return text


def describe(error: psycopg.Error) -> list[str]:
    """SQLSTATE, message and hint of a server's error; never its DETAIL, which quotes rows."""
    diagnostic = error.diag
    if diagnostic.message_primary is None:
        return [line.strip() for line in str(error).splitlines() if line.strip()][:2] or [
            type(error).__name__
        ]
    lines = [f"{diagnostic.sqlstate}: {diagnostic.message_primary}"]
    if diagnostic.message_hint:
        lines.append(f"hint: {diagnostic.message_hint}")
    return lines
