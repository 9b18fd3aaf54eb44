"""What a limit on the command line may be, so that none of them means "for ever" by accident. Pure."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# PostgreSQL's limits are milliseconds in 32 bits, where 0 means that there is none.
LEAST_SECONDS, MOST_SECONDS = 0.001, 2_147_483
_MOST_ROWS = 2**31 - 1


def _within(kind: type[float], least: float, most: int, unit: str) -> Callable[[str], float]:
    """A type for argparse."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = most + 1
        # Of what is no number neither is true.
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most} {unit}")
        return value

    return read


limit_seconds = _within(float, LEAST_SECONDS, MOST_SECONDS, "seconds")
wait_seconds = _within(float, 0, MOST_SECONDS, "seconds")
"""0: do not wait."""
rows = _within(int, 1, _MOST_ROWS, "rows")
