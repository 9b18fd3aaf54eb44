"""One run of a program in a process of its own, as the language host starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.program.engine import KIB_PER_MIB, Seen, serving
from tests.checkout import CHECKOUT
from tests.unit.given import SECRETS, complete
from twin.plugins.langhost import ALREADY_REPORTED, RUN_PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 120
# What the CLI asks for on two cores.
PARALLEL = 8


@dataclass(frozen=True)
class Run:
    """One process from its start to its end."""

    seconds: float
    processor_seconds: float
    resident_mib: float
    proportional_mib: float
    seen: Seen


def run(program: Path, **variables: str) -> Run:
    """Start `program` against an engine of its own, and wait for it.

    Raises:
        RuntimeError: the program failed; its time would be no measure.
    """
    seen = Seen()
    with serving(seen) as (address, monitor):
        command = [sys.executable, "-u", "-P", str(RUN_PROGRAM), str(program)]
        environment = {**_environment(address), **variables}
        before, started = os.times(), time.perf_counter()
        child = subprocess.Popen(command, cwd=CHECKOUT, env=environment)
        monitor.pid = child.pid
        code = child.wait(timeout=TIMEOUT_S)
        seconds, after = time.perf_counter() - started, os.times()
    if code != 0 or seen.errors:
        cause = " ".join(seen.errors) if code == ALREADY_REPORTED else "see its own output above"
        raise RuntimeError(f"{program.name}: ended with {code}: {cause}")
    return Run(
        seconds=seconds,
        processor_seconds=sum(after[2:4]) - sum(before[2:4]),
        resident_mib=seen.memory_kib["resident"] / KIB_PER_MIB,
        proportional_mib=seen.memory_kib["proportional"] / KIB_PER_MIB,
        seen=seen,
    )


def _environment(address: str) -> dict[str, str]:
    settings = {
        "project": "orka-ppm", "stack": "staging", "monitor": address, "engine": address,
        "parallel": PARALLEL, "dry_run": False,
    }  # fmt: skip
    groups = {
        f"orka-ppm:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in (complete() | SECRETS).items()
    }
    # Compiled modules are what every run but the first finds; without them one measures the compiler.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "PULUMI_CONFIG": json.dumps(groups),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps([f"orka-ppm:{key}" for key in SECRETS]),
        "ORKA_RUN_PROGRAM": json.dumps(settings),
    }
