"""Check: what the program gave, completed with a name and refused where nothing good can come of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes import objects
from twin.plugins.wire import UNKNOWN, Secret, reveal

if TYPE_CHECKING:
    from twin.plugins.kubernetes.kinds import Kind

COMMON_FIELDS = frozenset({"apiVersion", "kind", "metadata"})
METADATA_FIELDS = frozenset(
    {"name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences"}
)
SUFFIX_DIGITS = 8
# A suffix of eight digits and its hyphen must still fit into a label, which Jobs make of their name.
MAX_NAME = 63 - SUFFIX_DIGITS - 1


@dataclass(frozen=True)
class Naming:
    """What an automatic name is made of.

    Attributes:
        resource: the resource's name in the program.
        seed: the engine's random seed: the same in every check of one operation.
        proposed: a name that the stack's autonaming configuration asks for.
        enforced: whether the proposed name must be taken as it is.
        disabled: whether automatic names are switched off.

    """

    resource: str
    seed: bytes
    proposed: str = ""
    enforced: bool = False
    disabled: bool = False


def check(
    kind: Kind, news: objects.Object, olds: objects.Object, naming: Naming, namespace: str
) -> tuple[objects.Object, list[tuple[str, str]]]:
    """The inputs to use, and the failures as (property, reason)."""
    failures = _unknown_fields(kind, news)
    meta = dict(objects.metadata(news))
    annotations = dict(meta.pop("annotations", None) or {})
    failures += _annotations(annotations)
    if kind.namespaced and not meta.get("namespace"):
        meta["namespace"] = namespace
    if not meta.get("name") and not meta.get("generateName"):
        named = _automatic_name(olds, naming, annotations, meta)
        if not named:
            failures.append(("metadata.name", "automatic names are switched off: give the object a name"))
    elif meta.get("generateName"):
        failures.append(("metadata.generateName", "not supported by the twin's stand-in: omit it"))
    if annotations:
        meta["annotations"] = annotations
    inputs = objects.mark({**news, "metadata": reveal(meta)}, {"metadata": news.get("metadata")})
    if kind.name == "Secret":
        inputs = _encoded(inputs)
    return objects.mark_secret_kind(inputs), failures


def _unknown_fields(kind: Kind, news: objects.Object) -> list[tuple[str, str]]:
    failures = []
    for field, expected in (("apiVersion", kind.api_version), ("kind", kind.name)):
        if news.get(field) != expected:
            failures.append((field, f"must be {expected}"))
    allowed = COMMON_FIELDS | set(kind.fields)
    failures += [(key, f"{kind.name} has no such field") for key in sorted(set(news) - allowed)]
    unknown = set(objects.metadata(news)) - METADATA_FIELDS
    failures += [(f"metadata.{key}", "no such field, or not one to set") for key in sorted(unknown)]
    return failures


def _annotations(annotations: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f'metadata.annotations["{key}"]', "the twin's stand-in does not know this instruction")
        for key in sorted(annotations)
        if key.startswith("pulumi.com/") and key not in objects.ANNOTATIONS
    ]


def _automatic_name(
    olds: objects.Object, naming: Naming, annotations: dict[str, Any], meta: dict[str, Any]
) -> bool:
    """Name the object: as before if it had an automatic name, else anew. False when that is switched off."""
    before = objects.metadata(olds)
    if before.get("name") and objects.switched_on(olds, objects.AUTONAMED):
        meta["name"] = before["name"]
    elif naming.disabled:
        return False
    elif naming.proposed:
        meta["name"] = naming.proposed
        if naming.enforced:
            return True
    else:
        digest = hashlib.sha256(naming.seed + naming.resource.encode()).hexdigest()
        meta["name"] = f"{naming.resource[:MAX_NAME]}-{digest[:SUFFIX_DIGITS]}"
    annotations[objects.AUTONAMED] = "true"
    return True


def _encoded(inputs: objects.Object) -> objects.Object:
    """A Secret with its `stringData` moved to `data`, which is how the server keeps it."""
    if inputs.get("stringData") in (None, UNKNOWN):
        return inputs
    texts = reveal(inputs["stringData"])
    if not isinstance(texts, dict):
        return inputs
    data = reveal(inputs.get("data")) or {}
    encoded = {key: _base64(value) for key, value in texts.items()}
    rest = {key: value for key, value in inputs.items() if key != "stringData"}
    return {**rest, "data": Secret({**data, **encoded})}


def _base64(value: Any) -> Any:
    return value if value is UNKNOWN else base64.b64encode(str(value).encode()).decode()
