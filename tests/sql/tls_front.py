"""TLS before a server that has none, as a hosted database has it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def tls_front(server_socket: Path, folder: Path) -> Iterator[int]:
    """The port of 127.0.0.1 on which the server that listens in `server_socket` is reached by TLS only."""
    key, certificate, config = (folder / name for name in ("front.key", "front.pem", "front.conf"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    target = next(path for path in server_socket.glob(".s.PGSQL.*") if path.suffix != ".lock")
    config.write_text(
        f"foreground = yes\npid =\nsyslog = no\n[pg]\naccept = 127.0.0.1:{port}\nconnect = {target}\n"
        f"protocol = pgsql\ncert = {certificate}\nkey = {key}\n"
    )
    front = subprocess.Popen(["stunnel", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.1):
                break
        yield port
    finally:
        front.terminate()
        front.wait(timeout=10)
