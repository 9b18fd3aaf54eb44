"""Small things that every service of the twin does: write a configuration, ask whether a socket accepts."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONNECT_TIMEOUT_S = 2.0
PRIVATE = 0o600


def write(file: Path, text: str, mode: int = PRIVATE) -> Path:
    """Writes `text` to `file`, whole or not at all, readable as `mode` says; returns `file`.

    A file that holds the same already is left alone.
    """
    if file.exists() and file.read_text() == text and (file.stat().st_mode & 0o777) == mode:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
        out.write(text)
    partial.chmod(mode)  # whatever the umask is
    partial.replace(file)
    return file


def accepts(address: Path | tuple[str, int]) -> bool:
    """Whether something accepts connections at a unix socket's path or a (host, port).

    Raises:
        OSError: it does not; the error says why.
    """
    if isinstance(address, tuple):
        with socket.create_connection(address, timeout=CONNECT_TIMEOUT_S):
            return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        probe.connect(str(address))
        return True
