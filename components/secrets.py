"""The Kubernetes Secrets. Immutable and auto-named: a changed value is a new Secret, and pods roll to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components.component import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.configuration import Secrets
    from model.settings import Registry

# What backend and cron jobs read from the environment: the guide's names, by key of the given secret.
APPLICATION_VARIABLES = {
    "SUPABASE_KEY": "supabase-key",
    "SUPABASE_SERVICE_KEY": "supabase-service-key",
    "REDIS_PASSWORD": "redis-password",
    "OPENAI_API_KEY": "openai-api-key",
    "ENCRYPTION_KEY": "encryption-key",
    "ENCRYPTION_SALT": "encryption-salt",
    "JWT_SECRET": "jwt-secret",
    "SENTRY_DSN": "sentry-dsn",
}
# The checker is reached from outside, so it holds no key of the data and none that signs.
CHECKER_VARIABLES = {"REDIS_PASSWORD": "redis-password", "OPENAI_API_KEY": "openai-api-key"}
# Nothing reaches the gate; it shows both keys to Supabase and uses the public one alone.
VERIFICATION_VARIABLES = {
    "SUPABASE_KEY": "supabase-key",
    "SUPABASE_SERVICE_KEY": "supabase-service-key",
    "ORKA_CHECK_EMAIL": "check-email",
    "ORKA_CHECK_PASSWORD": "check-password",
}


class AppSecret(Component):
    """One Secret of variables; `name` is the name it was given."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        variables: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        secret = k8s.core.v1.Secret(
            name,
            metadata={"namespace": namespace},
            immutable=True,
            # Marked once more as a whole, so that no caller can forget it.
            string_data=pulumi.Output.secret(dict(variables)),
            opts=self.child,
        )
        self.name = secret.metadata["name"]
        self.register_outputs({"name": self.name})


class PullSecret(Component):
    """The registry's login for the kubelet; `names` is empty where the registry needs none."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        registry: Registry,
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.names: list[pulumi.Output[str]] = []
        password = secrets.get("registry-password")
        if registry.username and password is not None:
            login = password.apply(
                lambda value: json.dumps(
                    {"auths": {registry.host: {"username": registry.username, "password": value}}}
                )
            )
            secret = k8s.core.v1.Secret(
                name,
                metadata={"namespace": namespace},
                immutable=True,
                type="kubernetes.io/dockerconfigjson",
                string_data=pulumi.Output.secret({".dockerconfigjson": login}),
                opts=self.child,
            )
            self.names = [secret.metadata["name"]]
        self.register_outputs({"names": self.names})


def variables(wanted: Mapping[str, str], secrets: Secrets) -> dict[str, pulumi.Output[str]]:
    """The variables of a Secret whose value was given."""
    found = {variable: secrets.get(key) for variable, key in wanted.items()}
    return {variable: value for variable, value in found.items() if value is not None}


def gate_variables(secrets: Secrets, database_url: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
    """What the gate signs in with, and where it reads rows back."""
    return {**variables(VERIFICATION_VARIABLES, secrets), "ORKA_CHECK_DATABASE_URL": database_url}


def checker_variables(secrets: Secrets, database_url: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
    """What the checker asks the three services with; their other variables are no secrets."""
    return {**variables(CHECKER_VARIABLES, secrets), "DATABASE_URL": database_url}
