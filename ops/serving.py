"""Serves HTTP in a pod until told to end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

POLL_S = 0.2


def until_told(server: ThreadingHTTPServer) -> None:
    """Answer until SIGTERM or SIGINT. Must be called in the main thread, as signals demand."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread of its own: shutting down waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=POLL_S)
    server.server_close()
