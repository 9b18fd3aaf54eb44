"""Finding pods, containers and values in manifests, whatever kind they are part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.rule import Manifest

POD_AT = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
SERVERS = ("Deployment", "StatefulSet", "DaemonSet")
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


class At(NamedTuple):
    """A part of a manifest and the path that leads to it."""

    path: str
    value: Mapping[str, Any]

    def get(self, *keys: str) -> Any:
        """What stands at the keys, None where nothing does."""
        found: Any = self.value
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def below(self, *keys: str) -> str:
        """The path of the keys."""
        return ".".join([*([self.path] if self.path else []), *keys])

    def part(self, *keys: str) -> At:
        """The part at the keys, empty where there is none."""
        found = self.get(*keys)
        return At(self.below(*keys), found if isinstance(found, dict) else {})

    def parts(self, *keys: str) -> Iterator[At]:
        """The parts of the list at the keys."""
        for number, item in enumerate(self.get(*keys) or []):
            if isinstance(item, dict):
                yield At(f"{self.below(*keys)}[{number}]", item)


class Container(NamedTuple):
    """A container, and the pod whose settings it inherits."""

    here: At
    pod: At

    def context(self, key: str) -> Any:
        """A security setting: the container's own, else the pod's."""
        own = self.here.get("securityContext", key)
        return self.pod.get("securityContext", key) if own is None else own

    def context_path(self, key: str) -> str:
        """Where the container's own security setting stands, or would."""
        return self.here.below("securityContext", key)


def whole(manifest: Manifest) -> At:
    """The manifest itself."""
    return At("", manifest)


def pods(manifest: Manifest) -> Iterator[At]:
    """The pod that an object makes, where it makes one."""
    keys = POD_AT.get(str(manifest.get("kind")))
    if keys:
        yield whole(manifest).part(*keys)


def containers(manifest: Manifest) -> Iterator[Container]:
    """Every container of the pod, those that run before it included."""
    for pod in pods(manifest):
        for key in CONTAINERS:
            for here in pod.parts(key):
                yield Container(here, pod)


def pod_labels(manifest: Manifest) -> Mapping[str, str]:
    """The labels that the pods of an object bear."""
    keys = POD_AT.get(str(manifest.get("kind")), ())[:-1]
    return whole(manifest).part(*keys, "metadata", "labels").value


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector picks these labels; the empty one picks all."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]
