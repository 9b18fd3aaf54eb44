"""What the administrator's address of the database must be: a login, a session, and no plain text outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

TRANSACTION_POOLER_PORT = 6543
SUPABASE_POOLER = ".pooler.supabase.com"
SSLMODE = "sslmode"
ENCRYPTED = ("require", "verify-ca", "verify-full")
# A name without dots is none of these: who knows what a search domain makes of it. Nor is a private address,
# since who else is in that network is not known here.
_NEAR = re.compile(
    r"[/@].*|localhost|127(?:\.\d+){3}|::1|.+\.svc(?:\.cluster\.local)?", re.IGNORECASE | re.DOTALL
)
_EXPECTED = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
UNENCODED = "percent-encode special characters of user and password"
# As libpq reads it: user and password end at the first @, but a / before that one ends the host already.
_HOST = r"(?:\[[^\]@/?]*\]|[^@/?:,\[\]]*)(?::\d*)?"
_AS_MEANT = re.compile(rf"\w+://(?:[^@/]*@)?{_HOST}(?:,{_HOST})*(?:/[^@/?]*)?(?:\?.*)?", re.DOTALL)


def misread(url: str) -> bool:
    """Whether a special character of the password makes libpq take the rest of it for host, port or database.

    Those three stand in messages.
    """
    return _AS_MEANT.fullmatch(url) is None


def admin_url_fault(value: str) -> str | None:
    """What is wrong with the address; no part of it is in the answer."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return f"is not a URL; expected {_EXPECTED}"
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname or len(parts.path) <= 1:
        return f"expected {_EXPECTED}"
    if not parts.username or not parts.password:
        return f"needs a user and a password: {_EXPECTED}"
    return next((fault for wrong, fault in _wrong(parts, port) if wrong), None)


def _wrong(parts: SplitResult, port: int | None) -> Iterator[tuple[bool, str]]:
    yield misread(parts.geturl()), UNENCODED
    guides = (parts.username, parts.password) == ("user", "pass")
    yield guides, "is the guide's placeholder user:pass; give the real admin URL"
    yield (
        port == TRANSACTION_POOLER_PORT,
        "is a transaction pooler (port 6543), which holds no locks; use the direct or session port 5432",
    )
    host, user = parts.hostname or "", unquote(parts.username or "")
    name, _, project = user.rpartition(".")
    yield (
        host.endswith(SUPABASE_POOLER) and not (name and project),
        "names a user without its project: Supabase's pooler knows users as USER.PROJECT_REF; write that",
    )
    # Every login is composed of this address, so what it allows is allowed to all.
    plain = not set(sslmodes(parts.query)) <= set(ENCRYPTED)
    yield (
        plain and not near(host),
        f"has an sslmode that lets all pass in plain text; write {SSLMODE}=require, or leave it out",
    )


def project_of(host: str, user: str) -> str:
    """What follows the role in the name of every user there, its dot included; empty where nothing does.

    Supabase's pooler serves many projects, and tells them apart by it.
    """
    return f".{user.rpartition('.')[2]}" if host.endswith(SUPABASE_POOLER) else ""


def sslmodes(query: str) -> list[str]:
    """What the query says, an empty text too: libpq takes that for `prefer`."""
    return parse_qs(query, keep_blank_values=True).get(SSLMODE, [])


def near(host: str) -> bool:
    """Whether a session to it stays on this machine or in the cluster."""
    return _NEAR.fullmatch(host) is not None
