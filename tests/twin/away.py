"""The twin without some of its services for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.twin.conftest import PATHS
from twin import database, redis
from twin.processes import Supervisor
from twin.standins import services as standins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.steps import Step

# As a hosted one is gone: the server, and the TLS front before it.
DATABASE = ("postgres-tls", "postgres")


@contextmanager
def without(*processes: str) -> Iterator[None]:
    """End these processes; afterwards they are back, and ready."""
    supervisor = Supervisor(PATHS)
    again: dict[str, list[Step]] = {
        "redis": redis.steps(PATHS, supervisor),
        "postgres": database.steps(PATHS, supervisor),
        "postgres-tls": database.steps(PATHS, supervisor),
        "standin-openai": standins.steps(PATHS, supervisor),
    }
    try:
        for process in processes:
            assert supervisor.stop(process), f"{process} did not run"
        yield
    finally:
        for step in [step for process in processes for step in again[process]]:
            step.run()
