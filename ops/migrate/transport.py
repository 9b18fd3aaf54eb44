"""How a session travels: by TLS, unless it stays on this machine or in the cluster. Pure.

libpq's default (`prefer`) goes on in plain text where a server, or somebody in between, says it has no TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.database_url import ENCRYPTED, near
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULT_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 10, 2, 60


def settled(parts: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, str]:
    """What to add to the parts of a URL; raise REFUSED where they would let the session travel in the open.

    It holds for `pg_dump` and `pg_restore` too, which get none of libpq's variables.
    """
    said = {name: str(value) for name, value in parts.items() if value}
    added = {"connect_timeout": str(_seconds(said.get("connect_timeout")))}
    if authority := said.get("sslrootcert") or environ.get("PGSSLROOTCERT"):
        added["sslrootcert"] = authority
    mode = said.get("sslmode") or environ.get("PGSSLMODE")
    far = sorted(set(_far(said, environ)))
    if far and mode and mode not in ENCRYPTED:
        raise MigrateError(
            ExitCode.REFUSED,
            f"sslmode={mode} would talk to {', '.join(far)} in plain text",
            "leave sslmode out (then it is require), or better give sslmode=verify-full and sslrootcert;"
            " a database in the cluster is named NAME.NAMESPACE.svc",
        )
    if far:
        mode = mode or "require"
    return {**added, "sslmode": mode} if mode else added


def _far(said: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """The hosts that are neither this machine nor in the cluster."""
    if service := said.get("service") or environ.get("PGSERVICE"):
        yield f"what the service {service} names"
    named = [said.get(key) or environ.get(f"PG{key.upper()}", "") for key in ("host", "hostaddr")]
    for host in ",".join(named).split(","):
        if host and not near(host):
            yield host


def _seconds(text: str | None) -> int:
    """Seconds of one attempt: those of the URL, within bounds; 0 means endless to libpq, here the longest."""
    if text is None:
        return _DEFAULT_SECONDS
    try:
        seconds = int(text)
    except ValueError:
        raise MigrateError(
            ExitCode.REFUSED, "connect_timeout of the database's URL must be a number of seconds"
        ) from None
    return min(max(seconds, _LEAST_SECONDS), _MOST_SECONDS) if seconds > 0 else _MOST_SECONDS
