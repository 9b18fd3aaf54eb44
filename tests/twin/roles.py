"""The database's logins, as its catalog has them."""

from __future__ import annotations

import psycopg

from tests.twin.conftest import PATHS
from twin import database

GROUPS = ("app", "jobs", "readonly")


def memberships() -> dict[str, str]:
    """The group of each login of ours."""
    with psycopg.connect(database.admin_url(PATHS)) as connection:
        rows = connection.execute(
            "SELECT r.rolname, g.rolname FROM pg_auth_members AS m"
            " JOIN pg_roles AS r ON r.oid = m.member JOIN pg_roles AS g ON g.oid = m.roleid"
            " WHERE r.rolname LIKE 'orka\\_%' AND r.rolcanlogin ORDER BY 1"
        ).fetchall()
    return {str(login): str(group) for login, group in rows}
