"""Reaches a Service through the API server, as whoever runs kubectl: no port is opened, here or there."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from ops.cluster.kubectl import KubectlError

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTENS_WITHIN_S = 10.0
TIMEOUT_S = 10


@contextmanager
def service(name: str, namespace: str, *, port: str, context: str | None) -> Iterator[httpx.Client]:
    """A client whose addresses begin at the Service's root.

    `kubectl create --raw` would need no process, but sends no content type, and few servers guess one.

    Raises:
        KubectlError: kubectl is missing, or ends at once.
    """
    base = f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"
    with tempfile.TemporaryDirectory() as folder:
        # Only this user reaches it there, and only that Service through it.
        socket = Path(folder) / "kubectl.sock"
        chosen = ["--context", context] if context else []
        command = [
            "kubectl", *chosen, "proxy", f"--unix-socket={socket}", f"--accept-paths=^{base}/",
        ]  # fmt: skip
        with (Path(folder) / "said").open("w+") as said:
            try:
                # In a group of its own: what Ctrl-C ends has to say goodbye through it.
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, process_group=0)
            except FileNotFoundError:
                raise KubectlError("kubectl is not on PATH") from None
            try:
                _await(socket, process, Path(said.name))
                transport = httpx.HTTPTransport(uds=str(socket))
                with httpx.Client(
                    base_url=f"http://localhost{base}", timeout=TIMEOUT_S, transport=transport
                ) as client:
                    yield client
            finally:
                process.terminate()
                process.wait()


def _await(socket: Path, process: subprocess.Popen[bytes], said: Path) -> None:
    ends = time.monotonic() + LISTENS_WITHIN_S
    while not socket.exists():
        if process.poll() is not None:
            last = said.read_text(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise KubectlError(f"kubectl proxy failed: {last[0]}")
        if time.monotonic() > ends:
            raise KubectlError(f"kubectl proxy did not listen within {LISTENS_WITHIN_S:.0f} s")
        time.sleep(0.05)
