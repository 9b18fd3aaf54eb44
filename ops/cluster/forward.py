"""Reaches a pod behind a Service by `kubectl port-forward`, as whoever runs kubectl.

It ends in the pod itself, where no NetworkPolicy asks who it is; the API server's own proxy would come from
an address that differs from cluster to cluster, and that no policy lets in. The rights that it needs: to
`get` Services, to `get` and `list` pods, to `get` and `create` `pods/portforward`.
"""

from __future__ import annotations

import re
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

STARTS_WITHIN_S = 20.0
ENDS_WITHIN_S = 5.0
TIMEOUT_S = 10
_PORT = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+) ", re.MULTILINE)


@contextmanager
def service(name: str, namespace: str, *, port: str, context: str | None) -> Iterator[httpx.Client]:
    """A client whose addresses begin at the root of one pod of the Service.

    The port here is a free one, open to this machine alone, and closed in every case.

    Raises:
        KubectlError: kubectl is missing, ends, or does not get there in time.
    """
    chosen = ["--context", context] if context else []
    command = [
        "kubectl", *chosen, "port-forward", "--namespace", namespace, "--address", "127.0.0.1",
        f"service/{name}", f":{port}",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        printed, said = Path(folder) / "printed", Path(folder) / "said"
        with printed.open("wb") as out, said.open("wb") as errors:
            try:
                # In a group of its own: what Ctrl-C ends has to say goodbye through it.
                process = subprocess.Popen(command, stdout=out, stderr=errors, process_group=0)
            except FileNotFoundError:
                raise KubectlError("kubectl is not on PATH") from None
        try:
            here = _await(printed, process, said)
            with httpx.Client(
                base_url=f"http://127.0.0.1:{here}", timeout=TIMEOUT_S, trust_env=False
            ) as client:
                yield client
        finally:
            _end(process)


def _await(printed: Path, process: subprocess.Popen[bytes], said: Path) -> str:
    ends = time.monotonic() + STARTS_WITHIN_S
    while not (found := _PORT.search(printed.read_text(errors="replace"))):
        if process.poll() is not None:
            last = said.read_text(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise KubectlError(f"kubectl port-forward failed: {last[0]}")
        if time.monotonic() > ends:
            raise KubectlError(f"kubectl port-forward found no way within {STARTS_WITHIN_S:.0f} s")
        time.sleep(0.05)
    return found[1]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
