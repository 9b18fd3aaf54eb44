"""What people set on an object and `up` does not: it stays at first, and goes with a later change. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ops.adopt.key import Key
from ops.adopt.parts import ABSENT, joined, parts
from ops.status import drift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.adopt.key import Manifest

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
APPLIED = "kubectl-client-side-apply"
_NOTES_DEFAULTS = (APPLIED, "kubectl-create")
"""Managers whose entries name the server's defaults too: what was meant stands in the annotation."""


def kept(live: Manifest, made: Manifest, becomes: Manifest, manager: str) -> list[drift.Drift]:
    """Return by who set it what stays beside that which `manager` sets."""
    name = str(Key.of(becomes))
    found = []
    if by_hand := tuple(_beside(_last_applied(live), made, becomes, ())):
        found.append(drift.Drift(object=name, manager=APPLIED, fields=by_hand))
    entries = [
        entry
        for entry in becomes["metadata"].get("managedFields", [])
        if entry.get("subresource") != "status"
    ]
    ours = {path for entry in entries if entry.get("manager") == manager for path in _paths(entry)}
    for entry in entries:
        other = str(entry.get("manager", "unknown"))
        if other == manager or other.startswith((*drift.KUBERNETES, *_NOTES_DEFAULTS)):
            continue
        if fields := tuple(sorted(_paths(entry) - ours)):
            found.append(drift.Drift(object=name, manager=other, fields=fields))
    return found


def _last_applied(live: Manifest) -> Any:
    try:
        return json.loads(live["metadata"]["annotations"][LAST_APPLIED])
    except (KeyError, TypeError, ValueError):
        return {}


def _beside(hand: Any, made: Any, becomes: Any, path: tuple[str, ...]) -> Iterator[str]:
    if becomes is ABSENT or hand in ({}, []):
        return
    if made is ABSENT:
        yield joined(path)
        return
    if (found := parts(hand, made, becomes)) is None:
        return
    for key, value in found[0].items():
        yield from _beside(value, found[1].get(key, ABSENT), found[2].get(key, ABSENT), (*path, key))


def _paths(entry: dict[str, Any]) -> set[str]:
    return set(drift.paths(entry.get("fieldsV1", {})))
