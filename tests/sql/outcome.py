"""What a migrated database is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sql.support import ops, set_claims

if TYPE_CHECKING:
    from tests.sql.support import Database


def catalog(database: Database) -> object:
    """The catalog, as `ops migrate catalog` prints it."""
    return ops(database, "catalog", "--json").json["catalog"]


def chain_problems(database: Database) -> list[tuple[object, ...]]:
    """(tenant, events, broken at, problem) of every chain that does not verify."""
    found = []
    with database.connect() as connection, connection.transaction():
        for (tenant,) in connection.execute(b"SELECT tenant_id FROM orka_audit.chain_heads").fetchall():
            set_claims(connection, tenant)
            row = connection.execute(b"SELECT * FROM orka_audit.verify_chain()").fetchone()
            if row is None or row[2] is not None:
                found.append((tenant, *(row or ())))
    return found
