"""What libpq would take from the environment, settled at the start for all sessions and programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import pq

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The session's name is ours, and a dump has the database's own encoding.
_OURS = ("application_name", "client_encoding")


def with_variables(said: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, str]:
    """The parts of a URL and, where it says nothing, those of PGHOST, PGPASSWORD and the like.

    Raises REFUSED where a service is named: `pg_dump` is given one of the runner's own, and takes no other.
    """
    variables = {
        option.keyword.decode(): value
        for option in pq.Conninfo.parse(b"")
        if option.envvar and (value := environ.get(option.envvar.decode()))
    }
    in_url = {key: str(value) for key, value in said.items() if value is not None}
    parts = {key: value for key, value in variables.items() if key not in _OURS} | in_url
    if parts.get("service"):
        raise MigrateError(
            ExitCode.REFUSED,
            "the database is named by a service (PGSERVICE), which pg_dump could not be given",
            "write its host, port, user and name into DATABASE_URL",
        )
    return parts
