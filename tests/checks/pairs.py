"""Certificates of every fitness, for hosts of a test."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from unittest.mock import patch

from twin import certificates
from twin.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from twin.certificates import Pair


def _paths(folder: Path) -> Paths:
    return Paths(checkout=folder, data=folder, state=folder, run=folder)


def pairs_for(folder: Path, names: Sequence[str]) -> tuple[Path, dict[str, Pair]]:
    """The authority, and certificates of those hosts of every fitness, by name."""
    paths, others = _paths(folder / "own"), _paths(folder / "others")
    pairs = {
        "good": certificates.serving(paths, "good", names),
        "other": certificates.serving(paths, "other", ["elsewhere.example.com"]),
        "unknown": certificates.serving(others, "unknown", names),
    }
    for name, days in (("expired", -1), ("soon", 4.9)):
        with (
            patch.object(certificates, "VALIDITY", dt.timedelta(days=days, minutes=5)),
            patch.object(certificates, "BACKDATED", dt.timedelta(days=3)),
        ):
            pairs[name] = certificates.serving(paths, name, names)
    return certificates.authority(paths), pairs
