"""Reads one row of the database as the checker's tenant, and compares it with what calls gave."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from ops.checks import sanitise
from ops.checks.asking import milliseconds_since
from ops.checks.callers import claims_of
from ops.checks.result import Outcome
from ops.checks.substitute import MissingError, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.check_surroundings import RowCheck
    from ops.checks.session import Session

CONNECT_S = 5
_DROPPED = ("08", "57P")


async def row(session: Session, check: RowCheck) -> Outcome:
    """Run the query in a read-only transaction that row security ties to the token's tenant."""
    url = session.means.credentials.database_url
    if url is None or session.token is None:
        return Outcome("errored", "there is no database address or no token", attempts=0)
    try:
        parameters = {**fill(check.parameters, session.captured), **_age(check, datetime.now(UTC))}
        expected = fill(check.expect, session.captured)
    except MissingError as error:
        return Outcome("inconclusive", str(error), attempts=0)
    except ValueError:
        return Outcome("errored", "nobody noted when the run began that this asks for", attempts=0)
    begun = time.monotonic()
    claims = json.dumps(claims_of(session.token))
    try:
        async with asyncio.timeout(session.seconds()):
            found = await _fetch(url, claims, check.query, parameters)
    except TimeoutError:
        return Outcome("errored", "the database gave no answer in time")
    except psycopg.Error as error:
        return unanswered(error)
    took = milliseconds_since(begun)
    reason = row_fault(found, expected)
    return Outcome("failed" if reason else "passed", reason, took, samples=(took,))


def unanswered(error: psycopg.Error) -> Outcome:
    """Say how the query failed. The error's text may hold the address or a row: class and code are enough."""
    reason = f"the query failed: {type(error).__name__} ({error.sqlstate or 'no answer'})"
    # 08: the connection; 57P: the server stops or begins. Without a code there was no session at all.
    dropped = isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08").startswith(_DROPPED)
    return Outcome("errored", reason, again=dropped)


def _age(check: RowCheck, now: datetime) -> dict[str, float]:
    """How long ago the check's moment was. ValueError where it is none."""
    if check.since is None:
        return {}
    return {"age_s": (now - datetime.fromisoformat(check.since).astimezone(UTC)).total_seconds()}


def row_fault(row: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> str | None:
    """Return how the row differs from what is expected, or None."""
    if row is None:
        return "there is no such row"
    for column, value in expected.items():
        if row.get(column) != value:
            return f"column {column} is {sanitise.value(row.get(column))}, expected {sanitise.value(value)}"
    return None


async def _fetch(url: str, claims: str, query: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    async with (
        await psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_S, row_factory=dict_row
        ) as connection,
        connection.transaction(force_rollback=True),
    ):
        await connection.execute("SET TRANSACTION READ ONLY")
        await connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
        return await (await connection.execute(query.encode(), parameters)).fetchone()
