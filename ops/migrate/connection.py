"""Reach the database: where its URL comes from, and a session fit for migrations."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from model.database_url import UNENCODED, misread
from ops.migrate.libpq_variables import with_variables
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.pooler import refuse_transaction_pooler
from ops.migrate.redact import describe, redact
from ops.migrate.transport import settled
from ops.migrate.unreachable import remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRANSACTION_POOLER_PORT = 6543
_RETRY_PAUSE_SECONDS = 1.0
# Of every session; a migration sets its own. The last one lets the server notice a killed runner, end
# its statement and release its lock, instead of working on for nobody.
_SESSION = (
    b"SET statement_timeout = '60s'",
    b"SET lock_timeout = '5s'",
    b"SET idle_in_transaction_session_timeout = '60s'",
    b"SET client_connection_check_interval = '1s'",
    # The session that holds the lock idles for as long as the other one works.
    b"SET idle_session_timeout = 0",
    # What is read after a lock must have been committed before it was granted, whatever the role's default.
    b"SET default_transaction_isolation = 'read committed'",
    # A role may have these otherwise; probes are tried, and plans are read, as they are here.
    b"SET row_security = on",
    b"SET quote_all_identifiers = off",
)
# Each statement has its limit; a whole transaction has none. Older servers do not know it.
_NO_TRANSACTION_TIMEOUT, _KNOWS_IT = b"SET transaction_timeout = 0", 170_000
# The server answered and refused: trying again with the same words is pointless, except while it starts.
_REFUSED_FOR_GOOD = re.compile(r"FATAL:(?!\s+the database system is (?:starting up|not yet accepting))")


@dataclass(frozen=True)
class Target:
    """A database to migrate; its text form shows no secret."""

    url: str = field(repr=False)
    """As it was given, to recognise it in what is printed."""
    conninfo: str = field(repr=False)
    """What libpq gets, all of it settled: nothing is left to its variables."""
    password: str = field(repr=False)

    def of(self, database: str) -> Target:
        """The same for another database of the server."""
        return replace(self, conninfo=make_conninfo(self.conninfo, dbname=database))

    def redact(self, text: str) -> str:
        """`text` without anything that lets one connect."""
        return redact(text, (self.url, self.conninfo, self.password))


def target_from_environment(environ: Mapping[str, str]) -> Target:
    """Read DATABASE_URL, or the file that DATABASE_URL_FILE names; never from arguments."""
    url, file = environ.get("DATABASE_URL", ""), environ.get("DATABASE_URL_FILE", "")
    if bool(url) == bool(file):
        fault = "both DATABASE_URL and DATABASE_URL_FILE are set" if url else "no database is named"
        raise MigrateError(ExitCode.REFUSED, f"{fault}: set one of DATABASE_URL and DATABASE_URL_FILE")
    if file:
        try:
            url = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MigrateError(
                ExitCode.REFUSED, f"DATABASE_URL_FILE cannot be read: {type(error).__name__}"
            ) from None
    return _target(url.strip(), environ)


def _target(url: str, environ: Mapping[str, str]) -> Target:
    if not url.lower().startswith(("postgresql://", "postgres://")):
        raise MigrateError(ExitCode.REFUSED, "DATABASE_URL must start with postgresql://")
    unparsed = MigrateError(ExitCode.REFUSED, f"DATABASE_URL cannot be parsed: {UNENCODED}")
    if misread(url):
        raise unparsed
    try:
        parts = with_variables(conninfo_to_dict(url), environ)
    except psycopg.ProgrammingError:
        # Its message quotes the URL.
        raise unparsed from None
    if str(_TRANSACTION_POOLER_PORT) in str(parts.get("port", "")).split(","):
        raise MigrateError(
            ExitCode.REFUSED,
            f"port {_TRANSACTION_POOLER_PORT} is a pooler in transaction mode: locks do not hold there",
            "use the direct host or the pooler's session mode (port 5432)",
        )
    conninfo = make_conninfo("", **(parts | settled(parts)))
    return Target(url=url, conninfo=conninfo, password=str(parts.get("password") or ""))


def connect(target: Target, wait_seconds: float) -> psycopg.Connection:
    """Open an autocommit session; for `wait_seconds` retry while nothing answers (a new pod's network).

    Its settings are made after a look whether they stay with it: through a pooler in transaction mode they
    would stay with a server session that others get. For that look a second session is open for a moment.
    """
    connection = _open(target, wait_seconds)
    try:
        with _open(target, wait_seconds) as other:
            refuse_transaction_pooler(connection, other)
        for setting in _SESSION:
            connection.execute(setting)
        if connection.info.server_version >= _KNOWS_IT:
            connection.execute(_NO_TRANSACTION_TIMEOUT)
    except BaseException:
        connection.close()
        raise
    return connection


def _open(target: Target, wait_seconds: float) -> psycopg.Connection:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return psycopg.connect(
                target.conninfo,
                autocommit=True,
                application_name="orka-migrate",
                prepare_threshold=None,
            )
        except psycopg.OperationalError as error:
            message = target.redact("; ".join(describe(error)))
            if _REFUSED_FOR_GOOD.search(str(error)) or time.monotonic() >= deadline:
                raise MigrateError(
                    ExitCode.REFUSED, "cannot connect to the database", message, remedy(str(error))
                ) from None
            time.sleep(_RETRY_PAUSE_SECONDS)
