"""The kind `Role`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plugins import wire
from twin.plugins.bridged import Change, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from twin.plugins.postgresql.connection import Target
    from twin.plugins.provider import Properties

FLAGS = {
    "superuser": "SUPERUSER",
    "createDatabase": "CREATEDB",
    "createRole": "CREATEROLE",
    "inherit": "INHERIT",
    "login": "LOGIN",
    "replication": "REPLICATION",
    "bypassRowLevelSecurity": "BYPASSRLS",
}
LISTS = ("roles", "searchPaths")
FILLED_IN = ("connectionLimit", "encryptedPassword", "inherit", "validUntil")
# What the state has when the program does not say: the outputs of the official plugin.
DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(FLAGS, False),
    "inherit": True,
    "assumeRole": "",
    "connectionLimit": -1,
    "encrypted": None,
    "encryptedPassword": True,
    "idleInTransactionSessionTimeout": 0,
    "password": None,
    "passwordWo": None,
    "passwordWoVersion": None,
    "roles": None,
    "searchPaths": None,
    "skipDropRole": False,
    "skipReassignOwned": False,
    "statementTimeout": 0,
    "validUntil": "infinity",
}
MADE_BY_THE_SERVER = ("assumeRole", "idleInTransactionSessionTimeout", "statementTimeout")
SEARCH_PATH = "search_path="


class Role:
    """A role and its memberships. An update makes the memberships exactly those of `roles`."""

    schema = Schema(
        inputs=frozenset({"name", "password", "connectionLimit", "validUntil", *LISTS, *FLAGS}),
        required=frozenset({"name"}),
        defaults={key: DEFAULTS[key] for key in FILLED_IN},
        secret_inputs=frozenset({"password"}),
        secret_outputs=frozenset({"password", "passwordWo"}),
        marks_defaults=True,
        detailed_diff=True,
    )

    def __init__(self, target: Target) -> None:
        self._target = target

    def diff(self, olds: Properties, _old_inputs: Properties, news: Properties) -> Change:
        """What the state has otherwise; everything about a role is changed in place.

        Not the old inputs: after a failed update the official plugin's state is ahead of them.
        """
        before, after = {**DEFAULTS, **olds}, {**DEFAULTS, **news}
        changed = (key for key in self.schema.inputs if (before[key] or None) != (after[key] or None))
        return Change(changed=tuple(sorted(changed)), stables=())

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Create it; an existing role of that name is an error, as it is for the official plugin."""
        from psycopg import sql  # noqa: PLC0415

        outputs = {**DEFAULTS, **inputs}
        if preview:
            return "", {**outputs, **dict.fromkeys(MADE_BY_THE_SERVER), "id": wire.UNKNOWN}
        name = str(inputs["name"])
        with self._target.transaction() as cursor:
            cursor.execute(sql.SQL("CREATE ROLE {} WITH {}").format(sql.Identifier(name), _options(outputs)))
            if outputs["searchPaths"]:
                _set_search_path(cursor, name, outputs["searchPaths"])
            _set_memberships(cursor, name, outputs["roles"] or [])
        return name, {**outputs, "id": name}

    def read(self, resource_id: str, properties: Properties) -> Properties | None:
        """What the catalog says; the password is the state's, which nothing can read back."""
        with self._target.transaction() as cursor:
            cursor.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolreplication,"
                " rolbypassrls, rolconnlimit, rolconfig FROM pg_roles WHERE rolname = %s",
                [resource_id],
            )
            row = cursor.fetchone()
            groups = _memberships(cursor, resource_id)
        if row is None:
            return None
        live = {**DEFAULTS, **properties, "id": resource_id, "name": resource_id}
        live |= dict(zip(FLAGS, row[:7], strict=True))
        # The program's own order, where it is the same set.
        given = list(properties.get("roles") or [])
        live["roles"] = given if sorted(given) == groups else groups
        return {**live, "connectionLimit": row[7], "searchPaths": _search_path(row[8] or [])}

    def update(self, olds: Properties, news: Properties, *, preview: bool) -> Properties:
        """Rename, alter, and make the memberships exactly `roles`."""
        from psycopg import sql  # noqa: PLC0415

        # A list that neither has stays as the state spells it: null or empty.
        empty = {key: olds[key] for key in LISTS if key in olds and not olds[key]}
        outputs = {**DEFAULTS, **empty, **news, "id": news["name"]}
        if preview:
            return outputs
        before, name = str(olds["name"]), str(news["name"])
        with self._target.transaction() as cursor:
            if before != name:
                cursor.execute(
                    sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(name))
                )
            cursor.execute(sql.SQL("ALTER ROLE {} WITH {}").format(sql.Identifier(name), _options(outputs)))
            if (olds.get("searchPaths") or []) != (outputs["searchPaths"] or []):
                _set_search_path(cursor, name, outputs["searchPaths"] or [])
            _set_memberships(cursor, name, outputs["roles"] or [])
        return outputs

    def delete(self, resource_id: str, properties: Properties) -> None:
        """Drop it."""
        from psycopg import sql  # noqa: PLC0415

        name = str(properties.get("name", resource_id))
        with self._target.transaction() as cursor:
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _options(role: Properties) -> Any:
    from psycopg import sql  # noqa: PLC0415

    parts: list[sql.Composable] = [
        sql.SQL(word if role[key] else f"NO{word}")
        for key, word in FLAGS.items()
        # Only a superuser may name this one, even to say no.
        if role[key] or key not in ("superuser", "bypassRowLevelSecurity", "replication")
    ]
    parts.append(sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(int(role["connectionLimit"]))))
    parts.append(sql.SQL("VALID UNTIL {}").format(sql.Literal(str(role["validUntil"]))))
    if role.get("password") is not None:
        parts.append(sql.SQL("PASSWORD {}").format(sql.Literal(str(role["password"]))))
    return sql.SQL(" ").join(parts)


def _memberships(cursor: psycopg.Cursor[Any], name: str) -> list[str]:
    cursor.execute(
        "SELECT DISTINCT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %s ORDER BY 1",
        [name],
    )
    return [row[0] for row in cursor.fetchall()]


def _set_memberships(cursor: psycopg.Cursor[Any], name: str, wanted: list[str]) -> None:
    from psycopg import sql  # noqa: PLC0415

    there = _memberships(cursor, name)
    for group in there:
        if group not in wanted:
            cursor.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), sql.Identifier(name)))
    for group in wanted:
        if group not in there:
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))


def _set_search_path(cursor: psycopg.Cursor[Any], name: str, schemas: list[str]) -> None:
    from psycopg import sql  # noqa: PLC0415

    role = sql.SQL("ALTER ROLE {} ").format(sql.Identifier(name))
    if schemas:
        names = sql.SQL(", ").join(sql.Identifier(schema) for schema in schemas)
        cursor.execute(role + sql.SQL("SET search_path TO ") + names)
    else:
        cursor.execute(role + sql.SQL("RESET search_path"))


def _search_path(settings: list[str]) -> list[str]:
    for setting in settings:
        if setting.startswith(SEARCH_PATH):
            return [name.strip().strip('"') for name in setting.removeprefix(SEARCH_PATH).split(",")]
    return []
