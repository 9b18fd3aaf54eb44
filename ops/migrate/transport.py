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
# A network that falls silent is noticed after a minute, not after the hours of the system's own limits.
_SILENCE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def settled(parts: Mapping[str, object]) -> dict[str, str]:
    """What to add to the parts of an address; raise REFUSED where it would send the session in the open."""
    said = {name: str(value) for name, value in parts.items() if value}
    silence = {name: value for name, value in _SILENCE.items() if name not in said}
    added = {"connect_timeout": str(_seconds(said.get("connect_timeout"))), **silence}
    mode = said.get("sslmode")
    far = sorted(set(_far(said)))
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


def _far(said: Mapping[str, str]) -> Iterator[str]:
    """The hosts that are neither this machine nor in the cluster."""
    for host in f"{said.get('host', '')},{said.get('hostaddr', '')}".split(","):
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
