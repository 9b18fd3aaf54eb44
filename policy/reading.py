"""What Pulumi hands to a policy, as plain objects: unknown values apart, whole numbers whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pulumi_policy.proxy import UnknownValueError

from policy.rule import Object

if TYPE_CHECKING:
    from pulumi_policy import PolicyResource, ResourceValidationArgs

KUBERNETES = "kubernetes:"


def read(resource: ResourceValidationArgs | PolicyResource) -> Object | None:
    """The Kubernetes object of a resource, None where it is another provider's.

    An unknown value is left out and its path kept. Touching one, Pulumi would turn the whole rule into a mere
    advice for that preview: one secret that is not known yet must not open the door for a hostPath beside it.
    """
    if not resource.resource_type.startswith(KUBERNETES):
        return None
    unknown: list[str] = []
    manifest = _plain(resource.props, "", unknown)
    manifest["kind"] = resource.resource_type.rpartition(":")[2]
    return Object(manifest, resource.urn, tuple(unknown))


def _plain(value: Any, path: str, unknown: list[str]) -> Any:
    if isinstance(value, Mapping):
        found = {}
        for key in value:
            below = f"{path}.{key}" if path else str(key)
            try:
                found[key] = _plain(value[key], below, unknown)
            except UnknownValueError:
                unknown.append(below)
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, number, path, unknown) for number in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(value: Sequence[Any], number: int, path: str, unknown: list[str]) -> Any:
    below = f"{path}[{number}]"
    try:
        return _plain(value[number], below, unknown)
    except UnknownValueError:
        unknown.append(below)
        return None
