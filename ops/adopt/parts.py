"""Lays documents side by side: items of lists are matched by what names them, as the server does. Pure."""

from __future__ import annotations

from typing import Any

ABSENT = object()
_NAMED_BY = ("containerPort", "port", "mountPath", "host", "path", "topologyKey", "name")


def parts(*values: Any) -> list[dict[str, Any]] | None:
    """The fields of objects, or the items of lists by what names them all, else by number; else None."""
    if all(isinstance(value, dict) for value in values):
        return list(values)
    if not all(isinstance(value, list) for value in values):
        return None
    for key in _NAMED_BY:
        if all(_names(items, key) for items in values):
            return [{f"[{item[key]}]": item for item in items} for items in values]
    return [{f"[{number}]": item for number, item in enumerate(items)} for items in values]


def joined(path: tuple[str, ...]) -> str:
    """A path as one text: `spec.ports[80].name`."""
    text = ""
    for part in path:
        if part.startswith("[") or not text:
            text += part
        else:
            text += f"[{part}]" if "." in part or "/" in part else f".{part}"
    return text


def _names(items: list[Any], key: str) -> bool:
    found = {str(item[key]) for item in items if isinstance(item, dict) and key in item}
    return len(found) == len(items)
