"""Compares an object with what it would become, field by field. Pure.

An object made by hand may hold a password anywhere a text goes, so texts that people choose are never shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.checks.workloads import masked
from ops.status import drift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.adopt.key import Manifest

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SHOWN = 60
_SERVERS = {
    "metadata": ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"),
    "metadata.annotations": (LAST_APPLIED,),
}
"""Fields that the server or kubectl writes, by the path they lie at."""
_HIDDEN = ("env", "envFrom", "data", "binaryData", "stringData", "args", "command", "annotations")
_NAMED_BY = ("containerPort", "port", "mountPath", "host", "path", "topologyKey", "name")
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field that becomes another. `before` and `after` are None where there is none, or none to show."""

    field: str
    does: str
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        """One line."""
        if self.before is None and self.after is None:
            return f"{self.field} {self.does}"
        shown = [text for text in (self.before, self.after) if text is not None]
        return f"{self.field} {self.does}: {' -> '.join(shown)}"


def changes(live: Manifest, becomes: Manifest) -> list[Change]:
    """Return what differs; what the server keeps for itself is no difference. A whole new part is one."""
    hidden = live.get("kind") == "Secret"
    return list(_compare(_meant(live), _meant(becomes), (), hidden=hidden))


def kept(becomes: Manifest, manager: str) -> list[drift.Drift]:
    """Return what others set on the object and `manager` does not: that stays as it is."""
    entries = [
        entry
        for entry in becomes.get("metadata", {}).get("managedFields", [])
        if entry.get("subresource") != "status"
    ]
    ours = {path for entry in entries if entry.get("manager") == manager for path in _paths(entry)}
    found = []
    for entry in entries:
        other = str(entry.get("manager", "unknown"))
        if other == manager or other.startswith(drift.KUBERNETES):
            continue
        fields = tuple(
            sorted(path for path in _paths(entry) if path not in ours and LAST_APPLIED not in path)
        )
        if fields:
            name = f"{str(becomes.get('kind')).lower()}/{becomes['metadata'].get('name')}"
            found.append(drift.Drift(object=name, manager=other, fields=fields))
    return found


def _paths(entry: dict[str, Any]) -> set[str]:
    return set(drift.paths(entry.get("fieldsV1", {})))


def _meant(item: Manifest) -> Manifest:
    """The object without what the server writes."""
    meant = {key: value for key, value in item.items() if key != "status"}
    metadata = {key: value for key, value in item["metadata"].items() if key not in _SERVERS["metadata"]}
    if "annotations" in metadata:
        theirs = _SERVERS["metadata.annotations"]
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k not in theirs}
        if not metadata["annotations"]:
            del metadata["annotations"]
    return {**meant, "metadata": metadata}


def _compare(before: Any, after: Any, path: tuple[str, ...], *, hidden: bool) -> Iterator[Change]:
    if before == after:
        return
    if (parts := _parts(before, after)) is not None:
        one, other = parts
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _compare(one.get(key, _ABSENT), other.get(key, _ABSENT), (*path, key), hidden=hidden)
        return
    does = "appears" if before is _ABSENT else "goes" if after is _ABSENT else "changes"
    secret = hidden or any(part in _HIDDEN for part in path)
    shown = (None, None) if secret else (_shown(before), _shown(after))
    yield Change(field=_joined(path), does=does, before=shown[0], after=shown[1])


def _parts(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The fields of two objects, or the items of two lists by what names them in both, else by number."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before, after
    if not isinstance(before, list) or not isinstance(after, list):
        return None
    for key in _NAMED_BY:
        if _names(before, key) and _names(after, key):
            return _by(key, before), _by(key, after)
    return _numbered(before), _numbered(after)


def _by(key: str, items: list[Any]) -> dict[str, Any]:
    return {f"[{item[key]}]": item for item in items}


def _numbered(items: list[Any]) -> dict[str, Any]:
    return {f"[{number}]": item for number, item in enumerate(items)}


def _names(items: list[Any], key: str) -> bool:
    found = {str(item[key]) for item in items if isinstance(item, dict) and key in item}
    return len(found) == len(items)


def _joined(path: tuple[str, ...]) -> str:
    text = ""
    for part in path:
        if part.startswith("[") or not text:
            text += part
        else:
            text += f"[{part}]" if "." in part or "/" in part else f".{part}"
    return text


def _shown(value: Any) -> str | None:
    """One short text. A whole part is shown by its name alone: it may hold what is not to be shown."""
    if value is _ABSENT or isinstance(value, dict | list):
        return None
    text = masked(value if isinstance(value, str) else json.dumps(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
