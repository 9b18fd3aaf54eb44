"""Which Secret each part reads: backend, cron jobs and gate have one each, with a login of their own.

The checker has one too, with the backend's login: what it says is what the backend would find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.backend import application_secrets
from components.secrets import AppSecret, checker_variables, gate_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from components.configuration import Secrets
    from components.place import Place


def credentials(
    place: Place, secrets: Secrets, urls: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    """Make the Secrets; their names by `backend`, `jobs` and, where they are set, `checks` and `checker`."""
    settings = place.settings
    contents: dict[str, Mapping[str, pulumi.Input[str]]] = {
        "backend": application_secrets(settings, secrets, urls["app"]),
        "jobs": application_secrets(settings, secrets, urls["jobs"]),
    }
    if settings.verification.enabled:
        contents["checks"] = gate_variables(secrets, urls["readonly"])
    if settings.verification.by_checker:
        contents["checker"] = checker_variables(secrets, urls["app"])
    return {name: AppSecret(name, place.namespace, held, opts).name for name, held in contents.items()}
