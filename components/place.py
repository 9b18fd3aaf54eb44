"""Where and with which settings a component is deployed: what most of them are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Place:
    """The settings, the namespace, and the names of the Secrets with which its pods pull images."""

    settings: Settings
    namespace: pulumi.Input[str]
    pull_secrets: Sequence[pulumi.Input[str]] = ()
