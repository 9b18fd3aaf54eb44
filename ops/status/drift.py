"""Fields that others than Pulumi and Kubernetes set: new ones are nothing that a refresh sees. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.cluster import objects
from ops.status.fields import ANYTHING, paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OURS = ("pulumi",)
"""How the names of the managers begin by which the stack writes."""

KUBERNETES = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver", "cert-manager")
"""Those that work on what the stack wrote, as it is meant."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
APPLIED = "kubectl-client-side-apply"
"""Its entry names the server's defaults too: what was meant stands in the annotation."""

CREATED = "kubectl-create"
"""So does this one's, which has no annotation; but it made the object, and changes none that is there."""

_MOST_FIELDS = 5


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What one manager set on one object. `fields` are dotted paths."""

    object: str
    manager: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        """One line."""
        more = f" and {len(self.fields) - _MOST_FIELDS} more" if len(self.fields) > _MOST_FIELDS else ""
        return f"{self.object}: {self.manager} set {', '.join(self.fields[:_MOST_FIELDS])}{more}"


def foreign(items: Iterable[Mapping[str, Any]]) -> list[Drift]:
    """Return what others set. What Pulumi never wrote (pods, runs of jobs) has nothing to drift from."""
    found = list[Drift]()
    for item in items:
        managers = {str(entry.get("manager", "")) for entry in item["metadata"].get("managedFields", [])}
        if any(manager.startswith(OURS) for manager in managers):
            found += beside(item, OURS)
    return found


def beside(item: Mapping[str, Any], ours: tuple[str, ...], but: tuple[str, ...] = ()) -> Iterator[Drift]:
    """Yield what each manager but these set alone: a field may have several, who all want the same of it."""
    entries = [
        entry for entry in item["metadata"].get("managedFields", []) if entry.get("subresource") != "status"
    ]
    own = {path for entry in entries if _manager(entry).startswith(ours) for path in _paths(entry, item)}
    for entry in entries:
        manager = _manager(entry)
        if manager.startswith((*ours, *KUBERNETES, *but, CREATED)):
            continue
        alone = (path for path in _paths(entry, item) if not _is_among(path, own))
        if fields := tuple(sorted(path for path in alone if not path.endswith(LAST_APPLIED))):
            yield Drift(
                object=f"{str(item.get('kind')).lower()}/{objects.name(item)}",
                manager=manager,
                fields=fields,
            )


def last_applied(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `kubectl apply` noted of the document that it was given."""
    try:
        found = json.loads(item["metadata"]["annotations"][LAST_APPLIED])
    except (KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _manager(entry: Mapping[str, Any]) -> str:
    return str(entry.get("manager", "unknown"))


def _paths(entry: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    noted = last_applied(item) if _manager(entry) == APPLIED else None
    return paths(entry.get("fieldsV1", {}), said=ANYTHING if noted is None else noted)


def _is_among(path: str, own: set[str]) -> bool:
    """Whether it is ours, or does no more than hold what is ours."""
    return path in own or any(one.startswith((f"{path}.", f"{path}[")) for one in own)
