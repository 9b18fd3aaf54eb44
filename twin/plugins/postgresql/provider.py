"""The kinds `Extension` and `Role`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plugins import wire
from twin.plugins.bridged import BridgedProvider, Change, Kind, Schema
from twin.plugins.postgresql.connection import Target
from twin.plugins.provider import Properties, ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

# What a role has when the program does not say: the outputs of the official plugin.
ROLE_DEFAULTS: Mapping[str, Any] = {
    "assumeRole": "",
    "bypassRowLevelSecurity": False,
    "connectionLimit": -1,
    "createDatabase": False,
    "createRole": False,
    "encrypted": None,
    "encryptedPassword": True,
    "idleInTransactionSessionTimeout": 0,
    "inherit": True,
    "login": False,
    "passwordWo": None,
    "passwordWoVersion": None,
    "replication": False,
    "roles": [],
    "searchPaths": None,
    "skipDropRole": False,
    "skipReassignOwned": False,
    "statementTimeout": 0,
    "superuser": False,
    "validUntil": "infinity",
}
FLAGS = {
    "superuser": "SUPERUSER",
    "createDatabase": "CREATEDB",
    "createRole": "CREATEROLE",
    "inherit": "INHERIT",
    "login": "LOGIN",
    "replication": "REPLICATION",
    "bypassRowLevelSecurity": "BYPASSRLS",
}


def _changed(old_inputs: Properties, news: Properties) -> tuple[str, ...]:
    return tuple(
        sorted(key for key in old_inputs.keys() | news.keys() if old_inputs.get(key) != news.get(key))
    )


class Extension:
    """`CREATE EXTENSION IF NOT EXISTS`: it takes over what is there."""

    schema = Schema(
        inputs=frozenset({"name", "database", "schema", "version", "createCascade", "dropCascade"}),
        required=frozenset({"name"}),
        marks_defaults=True,
        detailed_diff=True,
    )

    def __init__(self, target: Target) -> None:
        self._target = target

    def diff(self, _olds: Properties, old_inputs: Properties, news: Properties) -> Change:
        """Another name or database is another extension."""
        changed = _changed(old_inputs, news)
        replaces = tuple(key for key in changed if key in ("name", "database"))
        return Change(changed=changed, replaces=replaces, stables=("database", "name"))

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Create it where it is not."""
        from psycopg import sql  # noqa: PLC0415

        name, database = str(inputs["name"]), self._database(inputs)
        if preview:
            unknown = dict.fromkeys(("id", "schema", "version"), wire.UNKNOWN)
            return "", {
                "createCascade": False,
                "dropCascade": False,
                **unknown,
                **inputs,
                "database": database,
            }
        with self._target.transaction(database) as cursor:
            statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name))
            if inputs.get("schema"):
                statement += sql.SQL(" SCHEMA {}").format(sql.Identifier(str(inputs["schema"])))
            if inputs.get("createCascade"):
                statement += sql.SQL(" CASCADE")
            cursor.execute(statement)
        live = self.read(f"{database}.{name}", inputs)
        if live is None:
            raise ProviderError(f"extension {name} was created and is not there")
        return str(live["id"]), live

    def read(self, resource_id: str, properties: Properties) -> Properties | None:
        """Schema and version as the catalog has them."""
        database, _, name = resource_id.partition(".")
        with self._target.transaction(database) as cursor:
            cursor.execute(
                "SELECT n.nspname, e.extversion FROM pg_extension e"
                " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = %s",
                [name],
            )
            row = cursor.fetchone()
        if row is None:
            return None
        return {
            "createCascade": bool(properties.get("createCascade", False)),
            "database": database,
            "dropCascade": bool(properties.get("dropCascade", False)),
            "id": resource_id,
            "name": name,
            "schema": row[0],
            "version": row[1],
        }

    def update(self, olds: Properties, news: Properties, *, preview: bool) -> Properties:
        """Another version or schema."""
        raise ProviderError(
            f"extension {olds.get('name')}: changing {sorted(news)} is not known here (preview: {preview})"
        )

    def delete(self, resource_id: str, properties: Properties) -> None:
        """Drop it, which fails where something uses it."""
        from psycopg import sql  # noqa: PLC0415

        database, _, name = resource_id.partition(".")
        with self._target.transaction(database) as cursor:
            statement = sql.SQL("DROP EXTENSION IF EXISTS {}").format(sql.Identifier(name))
            if properties.get("dropCascade"):
                statement += sql.SQL(" CASCADE")
            cursor.execute(statement)

    def _database(self, inputs: Properties) -> str:
        return str(inputs.get("database") or self._target.config.get("database", "postgres"))


class Role:
    """A role and its memberships. An update makes the memberships exactly those of `roles`."""

    schema = Schema(
        inputs=frozenset({"name", "password", *(ROLE_DEFAULTS.keys() - {"passwordWo", "passwordWoVersion"})}),
        required=frozenset({"name"}),
        defaults={"encryptedPassword": True, "inherit": True, "validUntil": "infinity"},
        secret_inputs=frozenset({"password"}),
        secret_outputs=frozenset({"password", "passwordWo"}),
        marks_defaults=True,
        detailed_diff=True,
    )

    def __init__(self, target: Target) -> None:
        self._target = target

    def diff(self, olds: Properties, old_inputs: Properties, news: Properties) -> Change:
        """Everything about a role is changed in place. What was healed from drift stands in `olds`."""
        del olds
        return Change(changed=_changed(old_inputs, news), stables=())

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Create it; an existing role of that name is an error, as it is for the official plugin."""
        from psycopg import sql  # noqa: PLC0415

        name = str(inputs["name"])
        outputs = {**ROLE_DEFAULTS, **inputs}
        if preview:
            return "", {**outputs, "id": wire.UNKNOWN}
        with self._target.transaction() as cursor:
            cursor.execute(sql.SQL("CREATE ROLE {} WITH {}").format(sql.Identifier(name), _options(outputs)))
            _set_memberships(cursor, name, outputs["roles"] or [])
        return name, {**outputs, "id": name}

    def read(self, resource_id: str, properties: Properties) -> Properties | None:
        """What the catalog says; the password is the state's, which nothing can read back."""
        with self._target.transaction() as cursor:
            cursor.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolreplication,"
                " rolbypassrls, rolconnlimit FROM pg_roles WHERE rolname = %s",
                [resource_id],
            )
            row = cursor.fetchone()
            groups = _memberships(cursor, resource_id)
        if row is None:
            return None
        live = {**ROLE_DEFAULTS, **properties, "id": resource_id, "name": resource_id}
        live |= dict(zip(FLAGS, row[:7], strict=True))
        # The program's own order, where it is the same set.
        same = sorted(properties.get("roles") or []) == groups
        return {**live, "connectionLimit": row[7], "roles": properties.get("roles") if same else groups}

    def update(self, olds: Properties, news: Properties, *, preview: bool) -> Properties:
        """Rename, alter, and make the memberships exactly `roles`."""
        from psycopg import sql  # noqa: PLC0415

        before, name = str(olds["name"]), str(news["name"])
        outputs = {**ROLE_DEFAULTS, **news, "id": name}
        if preview:
            return outputs
        with self._target.transaction() as cursor:
            if before != name:
                cursor.execute(
                    sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(name))
                )
            cursor.execute(sql.SQL("ALTER ROLE {} WITH {}").format(sql.Identifier(name), _options(outputs)))
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


class PostgresqlProvider(BridgedProvider):
    """The provider."""

    version = "3.18.2"
    config_inputs = frozenset(
        {
            "host",
            "port",
            "username",
            "password",
            "database",
            "sslmode",
            "superuser",
            "connectTimeout",
            "maxConnections",
        }
    )
    secret_config = frozenset({"password"})

    def __init__(self) -> None:
        self._target = Target({})

    def configure(self, config: Properties) -> None:
        """Take the address; nothing is connected before a change or a read."""
        self._target = Target(config)

    def kinds(self) -> Mapping[str, Kind]:
        """The kinds by type token."""
        return {
            "postgresql:index/extension:Extension": Extension(self._target),
            "postgresql:index/role:Role": Role(self._target),
        }
