"""What `twin status` says: each process, the node, one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import cluster, ownership
from twin.processes import Supervisor
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.paths import Paths
    from twin.processes import Process


@dataclass(frozen=True)
class Entry:
    """One process; `ready` is its own health question, or for others that it runs."""

    name: str
    running: bool
    pid: int
    ready: bool


@dataclass(frozen=True)
class Status:
    """The twin as it is now."""

    processes: list[Entry]
    node_ready: bool
    healthy: bool
    verdict: str


def collect(paths: Paths) -> Status:
    """Ask every process; starts and changes nothing."""
    other = ownership.foreign(paths)
    if other:
        verdict = f"{ownership.describe(other)}; {ownership.TAKE_OVER}"
        return Status([], node_ready=False, healthy=False, verdict=verdict)
    if ownership.read(paths) is None:
        return Status([], node_ready=False, healthy=False, verdict="down")
    supervisor = Supervisor(paths)
    known = cluster.processes(paths)
    names = [*known, *(record.name for record in supervisor.records() if record.name not in known)]
    entries = [_entry(supervisor, name, known.get(name)) for name in names]
    node = cluster.node_ready(paths)
    bad = [entry.name for entry in entries if not entry.ready]
    verdict = f"not ready: {', '.join(bad)}" if bad else "up" if node else "the node is not Ready"
    return Status(entries, node_ready=node, healthy=not bad and node, verdict=verdict)


def _entry(supervisor: Supervisor, name: str, make: Callable[[], Process] | None) -> Entry:
    record = supervisor.find(name)
    if record is None:
        return Entry(name, running=False, pid=0, ready=False)
    try:
        ready = make().ready() if make else True
    except (OSError, StepError):
        ready = False
    return Entry(name, running=True, pid=record.pid, ready=ready)
