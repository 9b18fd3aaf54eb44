"""Times as kubectl shows them: `45s`, `10m`, `3h`, `5d`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


def age(then: datetime | None, now: datetime) -> str:
    """Return how long ago it was, `-` for never."""
    if then is None:
        return "-"
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in _UNITS:
        # As kubectl: two of a unit before it is used, for `1m` would hide half of its truth.
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
