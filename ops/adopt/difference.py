"""Compares an object with what it would become, field by field. Pure.

An object made by hand may hold a password anywhere a text goes, so texts that people choose are never shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.adopt.parts import ABSENT, joined, parts
from ops.checks.sanitise import masked
from ops.status.drift import LAST_APPLIED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.adopt.key import Manifest

_SHOWN = 100
_SERVERS = {
    "metadata": ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"),
    "metadata.annotations": (LAST_APPLIED,),
}
"""Fields that the server or kubectl writes, by the path they lie at."""
_HIDDEN = ("env", "data", "binaryData", "stringData", "args", "command", "annotations")


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
    return list(_compare(_meant(live), _meant(becomes), ()))


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


def _compare(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Change]:
    if before == after:
        return
    if (found := parts(before, after)) is not None:
        one, other = found
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _compare(one.get(key, ABSENT), other.get(key, ABSENT), (*path, key))
        return
    does = "appears" if before is ABSENT else "goes" if after is ABSENT else "changes"
    secret = any(part in _HIDDEN for part in path)
    shown = (None, None) if secret else (_shown(before), _shown(after))
    yield Change(field=joined(path), does=does, before=shown[0], after=shown[1])


def _shown(value: Any) -> str | None:
    """One short text. A whole part is shown by its name alone: it may hold what is not to be shown."""
    if value is ABSENT or isinstance(value, dict | list):
        return None
    text = masked(value if isinstance(value, str) else json.dumps(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
