"""Reads logs through kubectl: of each container its last part, however long the log is.

kubectl's own `--limit-bytes` ends a log early: what it drops is the newest part.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from ops.cluster import kubectl, objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

LAST_LINES = 20_000
LAST_BYTES = 2_000_000
"""Of each container."""

SKIPPING = ("--prefix", "--ignore-errors")
"""Else one pod that waits to start would hide what all others wrote. With both, kubectl names the refused
ones in lines that begin with REFUSED, and the containers' own lines begin with a bracket."""

REFUSED = "error: "

_ORIGIN = re.compile(rb"\[pod/[^]\s]+\] ")
_HAS_NONE = re.compile(
    r"is waiting to start|does not have a host assigned|is not available|is terminated|not found"
)
"""What the API server says of a container that has written nothing, or whose log the node no longer keeps."""


def of_deployment(
    name: str, pods: Iterable[Mapping[str, Any]], namespace: str, *, context: str | None
) -> str:
    """Return what its pods have written, with what a container wrote before it crashed and began anew.

    Raises:
        KubectlError: there is no answer.
    """
    selector = ["--selector", f"{objects.NAME_LABEL}={name}", "--all-containers", "--max-log-requests=50"]
    text = _read([*selector, *SKIPPING], namespace, context)
    for pod in objects.pods_of(pods, name):
        for container in objects.began_anew(pod):
            before = [f"pod/{objects.name(pod)}", "--container", container, "--previous", "--prefix"]
            try:
                text += _read(before, namespace, context)
            except kubectl.KubectlError as error:
                # A node keeps the log of a container that ended for a while only.
                if "not found" not in error.said:
                    raise
    return text


def _read(chosen: list[str], namespace: str, context: str | None) -> str:
    arguments = ["logs", *chosen, "--namespace", namespace, f"--tail={LAST_LINES}"]
    refused = list[str]()
    with tempfile.TemporaryFile() as written:
        kubectl.run(arguments, context=context, to=written)
        written.seek(0)
        text = last_parts(_own(written, refused), LAST_BYTES)
    # Where a log is and was not given, nobody knows what stands in it.
    missing = [line for line in refused if not _HAS_NONE.search(line)] or ([] if text else refused)
    if missing:
        raise kubectl.KubectlError(f"kubectl logs failed: {missing[0]}")
    return text


def _own(lines: Iterable[bytes], refused: list[str]) -> Iterator[bytes]:
    """Yield what containers wrote; what kubectl says itself is added to `refused`."""
    for line in lines:
        if line.startswith(REFUSED.encode()):
            refused.append(line.decode(errors="replace").removeprefix(REFUSED).strip())
        else:
            yield line


def last_parts(lines: Iterable[bytes], limit: int) -> str:
    """Return the last bytes of each container's lines, without the prefix that names it."""
    kept: defaultdict[bytes, deque[bytes]] = defaultdict(deque)
    sizes: defaultdict[bytes, int] = defaultdict(int)
    for line in lines:
        origin = found[0] if (found := _ORIGIN.match(line)) else b""
        kept[origin].append(line.removeprefix(origin))
        sizes[origin] += len(line)
        while sizes[origin] > limit and len(kept[origin]) > 1:
            sizes[origin] -= len(origin) + len(kept[origin].popleft())
    return b"".join(line for part in kept.values() for line in part).decode(errors="replace")
