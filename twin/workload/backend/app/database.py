"""PostgreSQL: a pool that a missing database does not break, and transactions that belong to one tenant."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg import AsyncConnection

CONNECT_SECONDS = 5
CHECKOUT_SECONDS = 5.0
STATEMENT_MILLISECONDS = 10_000
POOL_SIZE = 10


class Database:
    """The backend's connections. Every wait in it is bounded."""

    def __init__(self, url: str) -> None:
        """Prepare a pool; no connection is made before `open`."""
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=CHECKOUT_SECONDS,
            reconnect_timeout=30.0,
            open=False,
            check=AsyncConnectionPool.check_connection,
            kwargs={
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c idle_in_transaction_session_timeout=30000",
                "application_name": "orka-backend",
                "row_factory": dict_row,
            },
        )

    async def open(self) -> None:
        """Start connecting in the background: a database that is away must not keep the process from starting."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=5.0)

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            psycopg.Error, PoolTimeout: there is none.
        """
        async with self._pool.connection() as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def tenant(self, claims: dict[str, Any]) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
        """Yield a connection in a transaction that row level security ties to the tenant of the claims."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "SELECT set_config('request.jwt.claims', %s, true)", (json.dumps(claims),)
            )
            yield connection


def vector_text(values: list[float]) -> str:
    """Return the text form of a pgvector value."""
    return "[" + ",".join(f"{value:.8g}" for value in values) + "]"
