"""Ports of loopback, and waiting until something answers there."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

START_S = 30.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes], seconds: float = START_S) -> None:
    """Wait until the process takes connections.

    Raises:
        AssertionError: it ended, or the time is over.
    """
    ends = time.monotonic() + seconds
    while True:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < ends, f"{process.args} does not answer on {port}"
            time.sleep(0.05)
