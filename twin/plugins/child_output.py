"""What a plugin in a child process says, as the engine reads it: both outputs, then the exit code."""

from __future__ import annotations

import queue
import threading
from typing import IO, TYPE_CHECKING

from pulumi.runtime.proto import language_pb2

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

PIECE_BYTES = 64 * 1024
OUTPUTS = ("stdout", "stderr")


def responses(child: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    """The answers to one `RunPlugin`, until the child has ended and everything it said is passed on."""
    said: queue.Queue[tuple[str, bytes]] = queue.Queue()
    for name in OUTPUTS:
        threading.Thread(target=_pass_on, args=(name, getattr(child, name), said), daemon=True).start()
    ended: set[str] = set()
    while len(ended) < len(OUTPUTS):
        name, piece = said.get()
        if not piece:
            ended.add(name)
        elif name == "stdout":
            yield language_pb2.RunPluginResponse(stdout=piece)
        else:
            yield language_pb2.RunPluginResponse(stderr=piece)
    yield language_pb2.RunPluginResponse(exitcode=child.wait())


def _pass_on(name: str, pipe: IO[bytes], said: queue.Queue[tuple[str, bytes]]) -> None:
    """Each piece as soon as it is there: the first is the port that the engine waits for."""
    while piece := pipe.read1(PIECE_BYTES):  # type: ignore[attr-defined]
        said.put((name, piece))
    said.put((name, b""))
