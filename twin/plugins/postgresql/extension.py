"""The kind `Extension`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plugins import wire
from twin.plugins.bridged import Change, Schema
from twin.plugins.provider import Properties, ProviderError

if TYPE_CHECKING:
    from twin.plugins.postgresql.connection import Target


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
        changed = tuple(
            sorted(key for key in old_inputs.keys() | news.keys() if old_inputs.get(key) != news.get(key))
        )
        replaces = tuple(key for key in changed if key in ("name", "database"))
        return Change(changed=changed, replaces=replaces, stables=("database", "name"))

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Create it where it is not."""
        from psycopg import sql  # noqa: PLC0415

        database = inputs.get("database") or self._target.config.get("database", "postgres")
        if preview:
            unknown = dict.fromkeys(("id", "schema", "version"), wire.UNKNOWN)
            return "", {
                "createCascade": False,
                "dropCascade": False,
                **unknown,
                **inputs,
                "database": database,
            }
        name = str(inputs["name"])
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
