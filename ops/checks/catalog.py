"""Compares the database's catalog with the contract of its migrations, by a login that may only look.

Whether a newer program has migrated further stands in a ledger that this login cannot read: so everything of
the contract must be there and protect, and what else is there is not judged. The migration itself, which is
the admin's, compares exactly.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from ops.checks.asking import milliseconds_since
from ops.checks.left_behind import in_thread
from ops.checks.result import Outcome
from ops.checks.rows import CONNECT_S, unanswered
from ops.checks.sanitise import plain
from ops.migrate.contract import ContractError, parse_contract
from ops.migrate.verify import compare_catalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.check_surroundings import CatalogCheck
    from ops.checks.session import Session
    from ops.migrate.contract import Contract, Finding

_SHOWN = 3


async def contract(session: Session, check: CatalogCheck) -> Outcome:
    """Read the catalog in a read-only transaction; red with the names of what differs."""
    url = session.means.credentials.database_url
    if url is None:
        return Outcome("errored", "there is no database address", attempts=0)
    try:
        wanted = _read(check.contract)
    except (OSError, UnicodeDecodeError, ContractError) as error:
        return Outcome("errored", plain(f"{check.contract} is not to be read: {error}"), attempts=0)
    begun = time.monotonic()
    seconds = session.seconds()
    try:
        async with asyncio.timeout(seconds):
            findings = await in_thread(lambda: _findings(url, wanted, seconds))
    except TimeoutError:
        return Outcome("errored", "the database gave no answer in time")
    except psycopg.Error as error:
        return unanswered(error)
    took = milliseconds_since(begun)
    reason = fault(findings)
    return Outcome("failed" if reason else "passed", reason, took, samples=(took,))


def _read(name: str) -> Contract:
    return parse_contract(Path(name).read_text(encoding="utf-8"))


def fault(findings: Sequence[Finding]) -> str | None:
    """Return which objects are not as they must be, the first of them by name, or None."""
    if not findings:
        return None
    named = ", ".join(f"{finding.object} is {finding.fault}" for finding in findings[:_SHOWN])
    more = f" (and {len(findings) - _SHOWN} more)" if len(findings) > _SHOWN else ""
    return plain(f"{named}{more}; `ops migrate verify` says more")


def _findings(url: str, wanted: Contract, seconds: float) -> tuple[Finding, ...]:
    with (
        psycopg.connect(url, connect_timeout=CONNECT_S) as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("SET TRANSACTION READ ONLY")
        # The thread cannot be ended from outside: a server that is there ends what takes too long.
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(seconds * 1000))])
        return compare_catalog(connection, wanted, newer_schema=True).findings
