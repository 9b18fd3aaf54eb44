"""Credentials that look real, made when a test runs: no file has one in a form that a scanner knows."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Drawn the same each time: a chance draw of little entropy would be no finding.
_DRAW = random.Random(8)  # noqa: S311 - they open nothing


def _drawn(alphabet: str, length: int) -> str:
    return "".join(_DRAW.choices(alphabet, k=length))


_WORD = string.ascii_letters + string.digits
_TEAM = f"T{_drawn(string.digits, 9)}/B{_drawn(string.digits, 9)}"
PLANTED = {
    "aws": f'key = "{"AK" + "IA"}{_drawn(string.ascii_uppercase + "234567", 16)}"',
    "github": f'token = "{"gh" + "p_"}{_drawn(_WORD, 36)}"',
    "private key": f"-----BEGIN {'PRIVATE'} KEY-----\n{_drawn(_WORD, 64)}\n-----END {'PRIVATE'} KEY-----",
    "slack": f'url = "https://hooks.{"slack"}.com/services/{_TEAM}/{_drawn(_WORD, 24)}"',
}
"""A line, or lines, by kind."""

PLACES = (
    "components/secrets.py",
    "Pulumi.staging.yaml",
    "tests/golden/staging/secret-backend.yaml",
    "tests/unit/x.py",
)


def plant(root: Path, text: str, places: tuple[str, ...] = PLACES) -> None:
    """Write it into each of these files under a folder of its own."""
    for place in places:
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"before: 1\n{text}\nafter: 1\n")
