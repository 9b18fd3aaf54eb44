"""What a newer program may have made of something that an older contract describes. Pure."""

from __future__ import annotations

import re

_NOTHING = re.compile(r"(?!)")
# Of each kind what protects and has to be there still, whatever else a later migration changed.
_KEPT = {
    "column": re.compile(r" not null\b"),
    "constraint": _NOTHING,
    "index": re.compile(r"^CREATE UNIQUE\b"),
    "function": re.compile(r"\bsecurity \w+| set [^,]*|, owner \w+"),
    "trigger": re.compile(r"\b(?:BEFORE|AFTER|INSTEAD OF)\b.*?\bON\b| \[always\]$"),
}
# What says that it protects no more.
_LOST = {
    "constraint": re.compile(r" NOT VALID$| \[disabled\]$"),
    "index": re.compile(r" INVALID$"),
    "trigger": re.compile(r" \[(?:disabled|replica only)\]$"),
}


def is_widened(key: str, expected: str, found: str) -> bool:
    """Whether `found` may stand for `expected` on a newer schema: nothing that protects is gone."""
    kind = key.split(" ", 1)[0]
    if kind not in _KEPT or _LOST.get(kind, _NOTHING).search(found):
        return False
    return set(_KEPT[kind].findall(expected)) <= set(_KEPT[kind].findall(found))
