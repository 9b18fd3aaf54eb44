"""One connection for one change: made when something is read or changed, never for a preview."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.plugins.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

MARK = "orka-twin"
DEFAULT_TIMEOUT_S = 30
STATEMENT_TIMEOUT_MS = 30_000


@dataclass(repr=False)
class Target:
    """Where to connect; it has no repr, for it holds a password."""

    config: dict[str, Any]

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return f"{self.config.get('host', 'localhost')}:{self.config.get('port', '5432')}"

    @contextmanager
    def transaction(self, database: str | None = None) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor in one transaction; committed when the block ends well.

        Raises:
            ProviderError: the server does not answer, refuses, or is not a twin's.
        """
        import psycopg  # noqa: PLC0415 - the plugin starts with every command, and most change no role

        config = self.config
        try:
            with (
                psycopg.connect(
                    host=str(config.get("host", "localhost")),
                    port=int(config.get("port", 5432)),
                    user=str(config.get("username", "postgres")),
                    password=str(config.get("password", "")),
                    dbname=database or str(config.get("database", "postgres")),
                    sslmode=str(config.get("sslmode") or config.get("sslMode") or "require"),
                    connect_timeout=int(config.get("connectTimeout", DEFAULT_TIMEOUT_S)),
                    options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
                    application_name="pulumi",
                ) as connection,
                connection.cursor() as cursor,
            ):
                self._require_mark(cursor)
                yield cursor
        except psycopg.OperationalError as error:
            raise ProviderError(
                f"error connecting to PostgreSQL server {self.place}: {_cause(error, config)}"
            ) from None
        except psycopg.Error as error:
            raise ProviderError(_cause(error, config)) from None

    def _require_mark(self, cursor: psycopg.Cursor[Any]) -> None:
        cursor.execute("SHOW cluster_name")
        row = cursor.fetchone()
        if row is None or row[0] != MARK:
            raise ProviderError(
                f"{self.place} is not the twin's server (its cluster_name is not {MARK!r}): this stand-in"
                " changes nothing else; use the official pulumi plugins for it"
            )


def _cause(error: psycopg.Error, config: dict[str, Any]) -> str:
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    text = (error.diag.message_primary or str(error).strip()).splitlines()[-1]
    password = str(config.get("password") or "")
    return (text.replace(password, "[secret]") if password else text) + code
