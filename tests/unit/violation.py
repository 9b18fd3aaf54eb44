"""What a violation of a rule is: a single field of the real manifests changed, or a single object added."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

GONE = object()
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
CRON_POD = ("spec", "jobTemplate", *POD)
SECURITY = (*CONTAINER, "securityContext")
LABELS = {f"app.kubernetes.io/{key}": "orka-ppm" for key in ("name", "part-of", "managed-by")}
PRIVATE = ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
ANYWHERE = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}], "ports": [{"port": 443}]}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"


@dataclass(frozen=True)
class Violation:
    """What to change in which manifest; `at` is the whole object where the manifest is an added one."""

    rule: str
    manifest: str
    at: tuple[str | int, ...]
    value: Any = GONE
    with_it: frozenset[str] = field(default=frozenset())
    """Other rules that the same change breaks by its nature."""

    def __str__(self) -> str:
        """For the test's name."""
        return f"{self.rule}-{self.manifest}-{'.'.join(map(str, self.at[-2:]))}"

    def applied(self, manifests: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The manifests with the one change."""
        if not self.at:
            return {**manifests, self.manifest: self.value}
        changed = copy.deepcopy(manifests[self.manifest])
        place: Any = changed
        for step in self.at[:-1]:
            place = place[step]
        if self.value is GONE:
            del place[self.at[-1]]
        else:
            place[self.at[-1]] = self.value
        return {**manifests, self.manifest: changed}


def added(rule: str, kind: str, *with_it: str, **rest: Any) -> Violation:
    """An object that the stack does not have."""
    cluster_wide = kind.startswith("Cluster")
    metadata = {"name": "added", "labels": LABELS, **({} if cluster_wide else {"namespace": "staging"})}
    return Violation(rule, "added", (), {"kind": kind, "metadata": metadata, **rest}, frozenset(with_it))


def role(rule: str, **allowed: Any) -> Violation:
    usual = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    return added(rule, "Role", rules=[usual | allowed])
