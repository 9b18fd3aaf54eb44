"""Who may become the owner of the audit trail, or may let others into its groups. Reads only.

Such a member is the owner: it disables the triggers of the append-only log. Nobody needs it but the role that
migrates. Logins are members of their groups, and are left alone as long as they may not hand that on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate.contract import Finding

if TYPE_CHECKING:
    import psycopg

    from ops.migrate.contract import Contract

# Who migrates owns the ledger: a login that only looks knows that, too. Another admin that came after it is
# believed where it asks itself, and may do what an admin must be able to.
_MEMBERS = """
    SELECT g.rolname, m.rolname, g.rolname = ANY(%(owners)s)
    FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
    WHERE g.rolname = ANY(%(roles)s) AND (a.admin_option OR g.rolname = ANY(%(owners)s))
      AND NOT m.rolsuper AND NOT (m.rolname = session_user AND m.rolcreaterole)
      AND m.oid NOT IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'orka_migrations')
    GROUP BY g.rolname, m.rolname ORDER BY g.rolname, m.rolname
"""


_MAY = {True: "may do what the owner may", False: "may let others in"}


def faults(connection: psycopg.Connection, contract: Contract) -> list[Finding]:
    """The members that the owners have and must not, and those that other roles have WITH ADMIN OPTION."""
    owners = sorted(
        {table.owner for table in contract.tables.values()}
        | {function.owner for function in contract.functions.values()}
        | {schema.owner for schema in contract.schemas.values()}
    )
    roles = sorted(contract.roles.keys() - contract.optional_roles)
    rows = connection.execute(_MEMBERS, {"roles": roles, "owners": owners})
    return [
        Finding(
            fault="unexpected",
            object=f"member {member} of {role}",
            detail=f"{_MAY[is_owner]}: REVOKE {'' if is_owner else 'ADMIN OPTION FOR '}{role} FROM {member}",
        )
        for role, member, is_owner in rows
    ]
