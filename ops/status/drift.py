"""Fields that others than Pulumi and Kubernetes set: new ones are nothing that a refresh sees. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.cluster import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OURS = ("pulumi",)
"""How the names of the managers begin by which the stack writes."""

KUBERNETES = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver", "cert-manager")
"""Those that work on what the stack wrote, as it is meant."""

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
    found = []
    for item in items:
        entries = item.get("metadata", {}).get("managedFields", [])
        if not any(str(entry.get("manager", "")).startswith(OURS) for entry in entries):
            continue
        for entry in entries:
            manager = str(entry.get("manager", "unknown"))
            if entry.get("subresource") == "status" or manager.startswith((*OURS, *KUBERNETES)):
                continue
            fields = tuple(sorted(paths(entry.get("fieldsV1", {}))))
            if fields:
                name = f"{str(item.get('kind')).lower()}/{objects.name(item)}"
                found.append(Drift(object=name, manager=manager, fields=fields))
    return found


def paths(fields: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Every field that a manager's entry (`fieldsV1`) names, as a dotted path."""
    for key, below in fields.items():
        if key == ".":
            continue
        path = f"{before}{_shown(key)}"
        inner = {name: value for name, value in below.items() if name != "."}
        if inner:
            yield from paths(inner, path)
        else:
            yield path.removeprefix(".")


def _shown(key: str) -> str:
    kind, _, name = key.partition(":")
    return f".{name}" if kind == "f" else f"[{name}]"
