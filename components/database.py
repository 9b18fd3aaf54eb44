"""What Pulumi owns of the database: the extension before the migration, the login roles after it.

Tables, owner and group roles come from `sql/` and outlive the stack. A login role owns nothing and holds no
grant of its own; its one membership stands in `roles`, since an update revokes every other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.component import Component
from model.capacity import ROLLOUT
from model.database_url import SSLMODE, project_of, sslmodes

if TYPE_CHECKING:
    from model.settings import Database, Settings

GROUPS = {"app": "orka_app", "jobs": "orka_jobs", "readonly": "orka_readonly"}
MONITOR = "monitor"
"""A member of nothing: that it can sign in, and what every role may see of the server, is all it is for."""
PASSWORD_LENGTH = 32
CONNECT_TIMEOUT_S = 10
CONNECTIONS = {"jobs": 8, "readonly": 4, MONITOR: 4}
OF_A_BACKEND, OF_THE_CHECKER, LEAST_OF_APP = 10, 2, 40


def connection_limits(settings: Settings) -> dict[str, int]:
    """How many sessions each login may hold at once.

    The checker has the backend's login. Each pod may have its successor beside it; a larger limit takes
    nothing from the server, which has a limit of its own.
    """
    checker = OF_THE_CHECKER if settings.verification.by_checker else 0
    app = ROLLOUT * (OF_A_BACKEND * settings.backend.most_replicas + checker)
    return {"app": max(app, LEAST_OF_APP), **CONNECTIONS}


@dataclass(frozen=True, repr=False)
class AdminUrl:
    """The parts of the admin URL. It has no repr: it holds a password."""

    host: str
    port: int
    user: str
    project: str
    """What ends the name of every user at this host, as in `user.project`, with its dot; most have none."""
    password: str
    database: str
    sslmode: str

    @property
    def role(self) -> str:
        """What the database itself calls the user."""
        return self.user.removesuffix(self.project)


def parse_admin_url(url: str) -> AdminUrl:
    """The parts of `postgresql://user:password@host:port/database?sslmode=…`, with libpq's defaults but one.

    Without `sslmode` it is `require`: libpq's own default would fall back to plain text.
    """
    parts = urlsplit(url)
    host, user = parts.hostname or "", unquote(parts.username or "")
    return AdminUrl(
        host=host,
        port=parts.port or 5432,
        user=user,
        project=project_of(host, user),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.removeprefix("/")),
        sslmode=(sslmodes(parts.query) or ["require"])[-1],
    )


def login_url(admin: str, user: str, password: str) -> str:
    """The address of the same database for another user, `user` as the database knows it."""
    parts, known = urlsplit(admin), parse_admin_url(admin)
    address = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user + known.project, safe='')}:{quote(password, safe='')}@{address}"
    # Whatever else the query says: a login never falls back to plain text where the admin does not.
    asked = () if sslmodes(parts.query) else (f"{SSLMODE}={known.sslmode}",)
    query = "&".join((*filter(None, [parts.query]), *asked))
    return parts._replace(scheme="postgresql", netloc=netloc, query=query).geturl()


def database_provider(name: str, settings: Database, admin_url: pulumi.Output[str]) -> postgresql.Provider:
    """The provider, from the admin URL; every part stays a secret."""
    admin = admin_url.apply(parse_admin_url)
    return postgresql.Provider(
        name,
        host=admin.apply(lambda parts: parts.host),
        port=admin.apply(lambda parts: parts.port),
        username=admin.apply(lambda parts: parts.user),
        # It grants roles to itself for a moment, by the name that the database knows.
        database_username=admin.apply(lambda parts: parts.role),
        password=admin.apply(lambda parts: parts.password),
        database=admin.apply(lambda parts: parts.database),
        sslmode=admin.apply(lambda parts: parts.sslmode),
        superuser=settings.superuser,
        connect_timeout=CONNECT_TIMEOUT_S,
        max_connections=4,
    )


class DatabaseExtension(Component):
    """pgvector, before the migration, which only checks it. It stays when the stack goes: tables use it."""

    def __init__(
        self, name: str, admin_url: pulumi.Output[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self.extension = postgresql.Extension(
            name,
            name="vector",
            database=admin_url.apply(lambda url: parse_admin_url(url).database),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.register_outputs({"name": self.extension.name})


class LoginRoles(Component):
    """A login role for each group, after the migration made the groups. `urls` are their addresses.

    A rotation is a new role under a new name, `orka_app_2` after `orka_app_1`. The one before it is kept
    until the next rotation, or until `keep-previous-roles` is off: dropping a role does not wait for a pod
    that still ends.
    """

    def __init__(
        self,
        name: str,
        stack: Settings,
        admin_url: pulumi.Output[str],
        migration: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._migration = migration
        self._limits = connection_limits(stack)
        settings, watched = stack.database, stack.monitoring.mode != "none"
        self.urls: dict[str, pulumi.Output[str]] = {}
        first = settings.rotation - 1 if settings.keep_previous_roles else settings.rotation
        for generation in range(max(first, 1), settings.rotation + 1):
            for group in [*GROUPS, *([MONITOR] if watched else [])]:
                role, password = self._role(group, generation)
                # The last generation stays.
                self.urls[group] = pulumi.Output.secret(
                    pulumi.Output.all(admin_url, role.name, password.result).apply(
                        lambda parts: login_url(parts[0], parts[1], parts[2])
                    )
                )
        self.register_outputs({"urls": self.urls})

    def _role(self, group: str, generation: int) -> tuple[postgresql.Role, random.RandomPassword]:
        password = random.RandomPassword(
            f"{group}-{generation}", length=PASSWORD_LENGTH, special=False, opts=self.child
        )
        role = postgresql.Role(
            f"{group}-{generation}",
            name=f"orka_{group}_{generation}",
            login=True,
            password=password.result,
            roles=[GROUPS[group]] if group in GROUPS else [],
            connection_limit=self._limits[group],
            # The migration makes the group; the role names it by a constant.
            opts=self.child_after(self._migration),
        )
        return role, password
