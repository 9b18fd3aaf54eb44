"""Starts the stand-ins: plain HTTP on the bridge's address, reachable from the shell and from pods."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twin import secrets
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Process
from twin.standins import alert_channels, openai, supabase_auth
from twin.steps import Step

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.processes import Supervisor

TIMEOUT_S = 2.0
STANDINS = {"openai": openai.PORT, "supabase_auth": supabase_auth.PORT, "alert_channels": alert_channels.PORT}


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """One step each."""
    return [_step(paths, supervisor, name, port) for name, port in STANDINS.items()]


def _step(paths: Paths, supervisor: Supervisor, name: str, port: int) -> Step:
    def run() -> str:
        secrets.of(paths)
        kept = secrets.file_of(paths)
        program = sorted(Path(__file__).parent.glob("*.py"))  # edited: started anew
        return supervisor.ensure(
            Process(
                name=f"standin-{name.replace('_', '-')}",
                argv=(sys.executable, "-m", f"twin.standins.{name}", str(kept)),
                directory=paths.checkout,
                ready=lambda: _answers(port),
                files=(kept, *program),
            )
        )

    return Step(f"stand-in for {name.replace('_', ' ')}", run)


def _answers(port: int) -> bool:
    with socket.create_connection((BRIDGE_ADDRESS, port), timeout=TIMEOUT_S):
        return True
