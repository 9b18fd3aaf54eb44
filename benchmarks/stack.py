"""`make bench-stack`: how long the verbs of the stack take on the running twin, and what the twin needs idle.

Every figure is also given as a ratio to the `up` without a change of the same run: seconds differ between
machines, ratios hardly do. Prints a table, and JSON with --json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.checkout import CHECKOUT
from tests.twin.relabelled_image import backend_digest
from tests.twin.stack import Stack
from twin import proc
from twin.environment import environment
from twin.paths import default
from twin.processes import Supervisor
from twin.teardown import shims

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.twin.stack import Result

REPEATS = 3
IDLE_S = 20.0
KIB_PER_MIB = 1024
PATHS = default()


def main() -> int:
    """Measure on the running twin; its stack is destroyed and comes up again on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    stack = Stack(CHECKOUT, {**os.environ, **environment(PATHS)})
    saved = PATHS.stack_file.read_text()
    try:
        seconds = measure(stack)
    finally:
        PATHS.stack_file.write_text(saved)
    _say("waiting until the twin is idle")
    time.sleep(IDLE_S)
    memory = memory_mib()
    figures = {"seconds": seconds, "idle_memory_mib": memory, "cores": os.cpu_count()}
    print(json.dumps(figures) if chosen.json else table(seconds, memory))
    return 0


def measure(stack: Stack) -> dict[str, float]:
    """Seconds of wall time by verb; medians of `REPEATS` where a verb changes nothing."""
    good = stack.outputs()["images"]["backend"].rpartition("@")[2]
    other = backend_digest("next")
    found = {"destroy": _once("destroy", lambda: stack.pulumi("destroy", "--yes", "--skip-preview"))}
    found["first up"] = _once("first up", stack.up)
    found["up, no change"] = _median("up, no change", stack.up)
    found["preview, no change"] = _median("preview, no change", stack.preview)
    stack.set("orka-ppm:images.backend.digest", other)
    found["preview, new image"] = _once("preview, new image", stack.preview)
    found["up, new image"] = _once("up, new image", stack.up)
    stack.set("orka-ppm:images.backend.digest", good)
    refresh = _once("refresh", stack.refresh)
    found["going back (refresh and up)"] = refresh + _once("up, the image before", stack.up)
    return found


def memory_mib() -> dict[str, int]:
    """Proportional set size of the twin's processes and of what runs in its pods, in MiB."""
    own = {record.pid for record in Supervisor(PATHS).records() if record.running}
    # A supervised program may have children, PostgreSQL has.
    outside = own | set(proc.descendants(own))
    roots = {shim.pid for shim in shims(PATHS)}
    inside = (roots | set(proc.descendants(roots))) - outside
    return {"processes of the twin": _pss(outside), "pods and their shims": _pss(inside)}


def table(seconds: dict[str, float], memory: dict[str, int]) -> str:
    """The figures as Markdown, the form of docs/measurements.md."""
    unit = seconds["up, no change"]
    lines = ["| verb | seconds | ratio |", "|---|---|---|"]
    lines += [f"| {verb} | {value:.1f} | {value / unit:.1f} |" for verb, value in seconds.items()]
    lines += ["", "| idle memory | MiB |", "|---|---|"]
    lines += [f"| {part} | {value} |" for part, value in memory.items()]
    return "\n".join(lines)


def _pss(pids: set[int]) -> int:
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return round(total / KIB_PER_MIB)


def _median(name: str, verb: Callable[[], Result]) -> float:
    return statistics.median(
        _once(f"{name} ({number} of {REPEATS})", verb) for number in range(1, REPEATS + 1)
    )


def _once(name: str, verb: Callable[[], Result]) -> float:
    _say(name)
    result = verb()
    if result.code != 0:
        sys.exit(f"{name} failed: {result}")
    return result.seconds


def _say(line: str) -> None:
    print(f"[bench] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
