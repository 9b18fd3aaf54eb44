"""What is seen while the checks run: a table that fills up in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self, TextIO

from model.checks import kind_of
from ops.shown import show

if TYPE_CHECKING:
    from model.checks import ChecksFile
    from ops.checks.result import CheckResult

_UP = "\x1b[{}F"
_TO_END_OF_LINE = "\x1b[K"
_BELOW = "\x1b[J"


class Progress:
    """A context: the table is drawn when it begins and gone when it ends: the final one stands there then."""

    def __init__(self, stream: TextIO, checks: ChecksFile) -> None:
        self._stream = stream
        self._states = {check.name: f"{check.name}  {kind_of(check)}  …" for check in checks.all()}
        self._table = stream.isatty() and len(self._states) < _lines(stream)
        self._drawn = 0

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            show(_UP.format(self._drawn) + _BELOW, self._stream)

    def seen(self, result: CheckResult) -> None:
        """Show one result."""
        took = "" if result.latency_ms is None else f"  {result.latency_ms} ms"
        line = f"{result.name}  {result.kind}  {result.verdict}{took}"
        if not self._table:
            reason = f": {result.reason}" if result.reason else ""
            show(f"{line}{reason}\n", self._stream)
            return
        self._states[result.name] = line
        self._draw()

    def _draw(self) -> None:
        if not self._table:
            return
        up = _UP.format(self._drawn) if self._drawn else ""
        lines = "".join(f"{line}{_TO_END_OF_LINE}\n" for line in self._states.values())
        show(up + lines, self._stream)
        self._drawn = len(self._states)


def _lines(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).lines
    except OSError:
        return 0
