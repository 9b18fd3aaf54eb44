"""Where and with which settings a component is deployed: what most of them are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.namespace import GuardedNamespace
from components.secrets import PullSecret

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from components.configuration import Secrets
    from model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Place:
    """The settings, the namespace, and the names of the Secrets with which its pods pull images."""

    settings: Settings
    namespace: pulumi.Input[str]
    pull_secrets: Sequence[pulumi.Input[str]] = ()


def guarded_place(settings: Settings, secrets: Secrets, opts: pulumi.ResourceOptions) -> Place:
    """Make the namespace with its guards, and the registry's login in it."""
    namespace = GuardedNamespace("namespace", settings, opts).name
    pull = PullSecret("registry", namespace, settings.registry, secrets, opts).names
    return Place(settings=settings, namespace=namespace, pull_secrets=pull)
