"""Serves HTTP in a pod until told to end."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from http.server import ThreadingHTTPServer

PORT = 8080
POLL_S = 0.2


def add_address(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="0.0.0.0", help="default: %(default)s")  # noqa: S104 - in a pod
    parser.add_argument("--port", type=int, default=PORT, help="default: %(default)s")


def log_to_stderr() -> None:
    """What is worth a line, and not each request that is made."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


def until_told(server: ThreadingHTTPServer) -> None:
    """Answer until SIGTERM or SIGINT. Must be called in the main thread, as signals demand."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread of its own: shutting down waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=POLL_S)
    server.server_close()
