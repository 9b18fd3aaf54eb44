"""Shows a text to somebody who may have gone: what `ops checks | head` found out counts all the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def show(text: str, stream: TextIO) -> None:
    """Write it at once; once nobody reads the stream any more, this and all that follows goes nowhere."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # The stream keeps what it could not write, and Python would complain of that at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
