"""The API: two pods by default, which know their release by the digest of their own image."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from components.secrets import APPLICATION_VARIABLES, variables
from components.server import Server
from model import sentry
from model.variables import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from components.configuration import Secrets
    from components.place import Place
    from model.settings import Settings
    from model.settings_contract import BackendContract


def application_env(settings: Settings, image: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
    """The variables that backend and cron jobs share, none of them secret: the guide's names and aliases."""
    contract = settings.backend.contract
    env: dict[str, pulumi.Input[str]] = {
        **plain(settings),
        # Of the image alone: a release id made of all settings would roll every pod at every change.
        "ORKA_RELEASE": image.apply(lambda reference: reference.rpartition("@")[2]),
        "SENTRY_RELEASE": image.apply(sentry.release),
    }
    return aliased({**env, **contract.env, **settings.backend.env}, contract)


def aliased(
    known: Mapping[str, pulumi.Input[str]], contract: BackendContract
) -> dict[str, pulumi.Input[str]]:
    """The variables, and under its further name each one that the image calls otherwise."""
    further = {alias: known[name] for alias, name in contract.aliases.items() if name in known}
    return {**further, **known}


def application_secrets(
    settings: Settings, secrets: Secrets, database_url: pulumi.Output[str]
) -> dict[str, pulumi.Input[str]]:
    """The secret variables of the backend, or of the jobs: they differ in their login to the database."""
    wanted = {**settings.backend.contract.secret_env, **APPLICATION_VARIABLES}
    found: dict[str, pulumi.Input[str]] = {**variables(wanted, secrets), "DATABASE_URL": database_url}
    if settings.backend.contract.redis_password_in_url:
        found["REDIS_URL"] = secrets["redis-password"].apply(
            lambda password: with_password(settings.redis.url, password)
        )
    return aliased(found, settings.backend.contract)


def with_password(url: str, password: str) -> str:
    """The address with its password in it, encoded as an address asks."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}:{quote(password, safe='')}@{rest}"


class Backend(Server):
    """The Deployment and Service `backend`.

    It waits for the migration by `depends_on`: no value of the migration flows into it, and a data dependency
    would show the backend as changed in every preview.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Output[str],
        secret: pulumi.Input[str],
        after: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        settings = place.settings
        super().__init__(
            name,
            place,
            settings.backend,
            image=image,
            env=application_env(settings, image),
            env_from=[{"secret_ref": {"name": secret}}],
            after=[after],
            autoscaling=settings.backend.autoscaling,
            opts=opts,
        )
