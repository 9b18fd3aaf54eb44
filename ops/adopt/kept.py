"""What people set on an object and `up` does not: it stays at first, and goes with a later change. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.adopt.key import Key
from ops.adopt.parts import ABSENT, joined, parts
from ops.status import drift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.adopt.key import Manifest


def kept(live: Manifest, made: Manifest, becomes: Manifest, manager: str) -> list[drift.Drift]:
    """Return by who set it what stays beside that which `manager` sets."""
    noted = drift.last_applied(live) or {}
    by_hand = tuple(_beside(noted, made, becomes, ()))
    applied = drift.Drift(object=str(Key.of(becomes)), manager=drift.APPLIED, fields=by_hand)
    return [*([applied] if by_hand else []), *drift.beside(becomes, (manager,), (drift.APPLIED,))]


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
