"""Whose the ledger is: it belongs to who applied first, and another admin gets at it only if it is let in.

Reads only, and by numbers: by name PostgreSQL would refuse to look into a schema that is another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    import psycopg

_CHANGES_IT = frozenset({"apply", "baseline", "rollback"})
_OTHERS = """
    SELECT quote_ident(current_user), quote_ident(pg_get_userbyid(one.owner))
    FROM (
        SELECT n.nspowner AS owner, has_schema_privilege(n.oid, 'USAGE') AS may_read
        FROM pg_namespace AS n WHERE n.nspname = 'orka_migrations'
        UNION ALL
        SELECT c.relowner, has_table_privilege(c.oid, 'SELECT')
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'orka_migrations' AND c.relkind = 'r'
    ) AS one
    WHERE NOT CASE WHEN %s THEN pg_has_role(one.owner, 'USAGE') ELSE one.may_read END
    LIMIT 1
"""


def require_access(connection: psycopg.Connection, verb: str) -> None:
    """REFUSED, naming the owner, where the user may not read the ledger, or not change it as `verb` does."""
    row = connection.execute(_OTHERS, (verb in _CHANGES_IT,)).fetchone()
    if row is None:
        return
    user, owner = row
    raise MigrateError(
        ExitCode.REFUSED,
        f"the ledger, in the schema orka_migrations, belongs to {owner}: {user} may not use it",
        f"GRANT {owner} TO {user}, or ALTER SCHEMA orka_migrations OWNER TO {user}, and its tables likewise"
        " (sql/README.md); nothing was changed",
    )
