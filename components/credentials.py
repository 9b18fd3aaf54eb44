"""Which Secret each part reads: backend, cron jobs and gate have one each, with a login of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.backend import application_secrets
from components.secrets import AppSecret, gate_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from components.configuration import Secrets
    from components.place import Place


def credentials(
    place: Place, secrets: Secrets, urls: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    """Make the Secrets; their names by `backend`, `jobs` and, where there is a gate, `checks`."""
    settings = place.settings
    contents: dict[str, Mapping[str, pulumi.Input[str]]] = {
        "backend": application_secrets(settings, secrets, urls["app"]),
        "jobs": application_secrets(settings, secrets, urls["jobs"]),
    }
    if settings.verification.enabled:
        contents["checks"] = gate_variables(secrets, urls["readonly"])
    return {name: AppSecret(name, place.namespace, held, opts).name for name, held in contents.items()}
