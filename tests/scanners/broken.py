"""One Deployment with one field of its hardening taken away or changed, and what checkov calls that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from tests.unit.rendered import readable

MANIFEST = "deployment-backend.yaml"
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
GUARDS = (*CONTAINER, "securityContext")


@dataclass(frozen=True)
class Broken:
    """A field, the checks that miss it, and what stands there instead, if anything does."""

    checks: frozenset[str]
    at: tuple[str | int, ...]
    instead: Any = None

    def __str__(self) -> str:
        """Return the name of its folder."""
        return "-".join(["without" if self.instead is None else "other", *map(str, self.at[3:])])


def _broken(*at: str | int, checks: str, instead: Any = None) -> Broken:
    return Broken(frozenset(f"CKV_K8S_{number}" for number in checks.split()), at, instead)


BROKEN = (
    _broken(*GUARDS, "readOnlyRootFilesystem", checks="22"),
    _broken(*GUARDS, "allowPrivilegeEscalation", checks="20"),
    _broken(*GUARDS, "capabilities", checks="28 37"),
    _broken(*GUARDS, "runAsUser", checks="40", instead=1000),
    _broken(*GUARDS, "privileged", checks="16", instead=True),
    _broken(*POD, "securityContext", checks="29 31"),
    _broken(*POD, "automountServiceAccountToken", checks="38"),
    _broken(*POD, "hostNetwork", checks="19", instead=True),
    _broken(*CONTAINER, "image", checks="14 15 43", instead="registry.example.com/orka/backend:latest"),
    _broken(*CONTAINER, "resources", "limits", "memory", checks="13"),
    _broken(*CONTAINER, "livenessProbe", checks="8"),
    _broken(*CONTAINER, "readinessProbe", checks="9"),
)


def broken(text: str, change: Broken) -> str:
    """The manifest after the change."""
    manifest = yaml.safe_load(text)
    *way, last = change.at
    here = manifest
    for step in way:
        here = here[step]
    if change.instead is None:
        del here[last]
    else:
        here[last] = change.instead
    return readable(manifest)
