"""The provider `postgresql` with the two kinds that the program uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plugins.bridged import BridgedProvider, Kind
from twin.plugins.postgresql.connection import Target
from twin.plugins.postgresql.extension import Extension
from twin.plugins.postgresql.role import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.plugins.provider import Properties


class PostgresqlProvider(BridgedProvider):
    """The provider."""

    version = "3.18.2"
    config_inputs = frozenset(
        {
            "host",
            "port",
            "username",
            "databaseUsername",
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
