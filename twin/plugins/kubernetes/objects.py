"""Objects between the protocol and the API server: ids, outputs, secrets, and what a refresh keeps."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from twin.plugins.wire import Secret, reveal

if TYPE_CHECKING:
    from twin.plugins.kubernetes.kinds import Kind

AUTONAMED = "pulumi.com/autonamed"
DELETION_POLICY = "pulumi.com/deletionPropagationPolicy"
PATCH_FORCE = "pulumi.com/patchForce"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
ANNOTATIONS = frozenset(
    {AUTONAMED, DELETION_POLICY, PATCH_FORCE, REPLACE_UNREADY, SKIP_AWAIT, TIMEOUT_SECONDS}
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What the server adds to metadata; an imported object's inputs are without it.
SERVER_METADATA = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
SECRET_FIELDS = ("data", "stringData")
Object = dict[str, Any]


def metadata(obj: Object) -> dict[str, Any]:
    """An object's metadata, never None."""
    meta = reveal(obj.get("metadata"))
    return meta if isinstance(meta, dict) else {}


def annotation(obj: Object, name: str) -> str:
    """An annotation's value, empty when it is not there."""
    value = (metadata(obj).get("annotations") or {}).get(name)
    return value if isinstance(value, str) else ""


def switched_on(obj: Object, name: str) -> bool:
    """Whether an annotation says "true"."""
    return annotation(obj, name).lower() == "true"


def qualified_name(obj: Object) -> str:
    """`namespace/name`, or the name alone; also the resource's id."""
    meta = metadata(obj)
    namespace = meta.get("namespace")
    return f"{namespace}/{meta.get('name')}" if namespace else str(meta.get("name"))


def split_id(object_id: str, kind: Kind, default_namespace: str) -> tuple[str, str]:
    """Namespace and name of an id; a namespaced one without namespace lives in the default one."""
    namespace, _, name = object_id.rpartition("/")
    return (namespace or default_namespace) if kind.namespaced else "", name


def new_field_manager() -> str:
    """A name for who owns the fields of one resource, kept in its state."""
    return f"pulumi-kubernetes-{secrets.token_hex(4)}"


def mark(value: Any, like: Any) -> Any:
    """`value` with the secrets that `like` has, at the same places."""
    if isinstance(like, Secret):
        return Secret(reveal(value))
    if isinstance(like, dict) and isinstance(value, dict):
        return {key: mark(item, like.get(key)) for key, item in value.items()}
    if isinstance(like, list) and isinstance(value, list):
        padded = [*like, *[None] * len(value)]
        return [mark(item, other) for item, other in zip(value, padded, strict=False)]
    return value


def mark_secret_kind(obj: Object) -> Object:
    """A Secret's contents are secret, whether the program marked them or not."""
    if obj.get("kind") != "Secret":
        return obj
    return {
        key: Secret(reveal(value)) if key in SECRET_FIELDS and value is not None else value
        for key, value in obj.items()
    }


def outputs(inputs: Object, live: Object, manager: str, initial_api_version: str) -> Object:
    """What the state keeps: the live object, the inputs, and who owns the fields."""
    shown = {key: value for key, value in live.items() if key != "metadata"}
    shown["metadata"] = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    marked: Object = mark_secret_kind(mark(shown, inputs))
    return {
        **marked,
        "__inputs": mark_secret_kind(inputs),
        "__fieldManager": manager,
        "__initialApiVersion": initial_api_version,
    }


def prune(live: Any, shape: Any) -> Any:
    """The part of a live value that the inputs speak of; what was added by others stays out."""
    if isinstance(shape, dict) and isinstance(live, dict):
        return {key: prune(live[key], item) for key, item in shape.items() if key in live}
    if isinstance(shape, list) and isinstance(live, list):
        if any(isinstance(item, dict | list) for item in shape):
            return [prune(item, other) for item, other in zip(live, shape, strict=False)]
        return live
    return live


def refreshed_inputs(live: Object, inputs: Object) -> Object:
    """Inputs that say what the live object has, in the shape of the inputs so far."""
    pruned: Object = prune(live, reveal(inputs))
    return mark_secret_kind(mark(pruned, inputs))


def imported_inputs(live: Object) -> Object:
    """Inputs for an object that no program has described yet."""
    meta = {key: value for key, value in live["metadata"].items() if key not in SERVER_METADATA}
    annotations = {
        key: value for key, value in (meta.pop("annotations", None) or {}).items() if key != LAST_APPLIED
    }
    if annotations:
        meta["annotations"] = annotations
    kept = {key: value for key, value in live.items() if key not in ("metadata", "status")}
    return mark_secret_kind({**kept, "metadata": meta})
