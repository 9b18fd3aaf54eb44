"""Reads which fields a manager's entry (`fieldsV1`) names, as dotted paths. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANYTHING = object()
_NOTHING = object()


def paths(fields: Mapping[str, Any], before: str = "", said: Any = ANYTHING) -> Iterator[str]:
    """Every field of an entry; given a document, those alone that it says."""
    for key, below in fields.items():
        if key == "." or (value := _at(said, key)) in (_NOTHING, {}, []):
            continue
        path = f"{before}{_shown(key)}"
        inner = {name: more for name, more in below.items() if name != "."}
        if inner:
            yield from paths(inner, path, value)
        else:
            yield path.removeprefix(".")


def _shown(key: str) -> str:
    kind, _, name = key.partition(":")
    return f".{name}" if kind == "f" else f"[{name}]"


def _at(said: Any, key: str) -> Any:
    """What a document says at a field (`f:`), or an item: by its keys (`k:`), itself (`v:`), its number."""
    kind, _, name = key.partition(":")
    if said is ANYTHING:
        return ANYTHING
    if kind == "f":
        return said.get(name, _NOTHING) if isinstance(said, dict) else _NOTHING
    if not isinstance(said, list):
        return _NOTHING
    wanted = json.loads(name)
    return next((item for number, item in enumerate(said) if _is(kind, wanted, number, item)), _NOTHING)


def _is(kind: str, wanted: Any, number: int, item: Any) -> bool:
    if kind == "k" and isinstance(item, dict):
        # A key that people leave out is a default, such as the protocol of a port.
        return any(key in item for key in wanted) and all(
            item.get(key, it) == it for key, it in wanted.items()
        )
    return bool(wanted == (number if kind == "i" else item))
