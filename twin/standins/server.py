"""Runs a stand-in as a process: `python -m twin.standins.NAME SECRETS_FILE`, on the bridge's address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from twin import secrets
from twin.paths import BRIDGE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from twin.secrets import Secrets

GRACE_S = 3


def serve(application: Callable[[Secrets], Starlette], port: int) -> None:
    """Serve until told to stop."""
    uvicorn.run(
        application(secrets.read(Path(sys.argv[1]))),
        host=BRIDGE_ADDRESS,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
