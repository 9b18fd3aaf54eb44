"""What strangers sent, made fit to be shown: short, one line, nothing a terminal would obey. Pure."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

SHOWN_CHARACTERS = 120
REASON_CHARACTERS = 400


def plain(text: str, limit: int = REASON_CHARACTERS) -> str:
    """The text in one line without control and direction characters, cut to `limit` characters."""
    line = "".join(
        " " if character.isspace() else character if unicodedata.category(character)[0] != "C" else "?"
        for character in text[: limit * 2]
    )
    return line if len(line) <= limit and len(text) <= limit * 2 else line[:limit] + "…"


def value(content: Any) -> str:
    """A JSON value as short text."""
    return plain(json.dumps(content, ensure_ascii=False), SHOWN_CHARACTERS)
