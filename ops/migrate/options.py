"""The limits of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Seconds, unless said otherwise. Every wait has an end here."""

    lock_wait: float = 60.0
    """For the lock against other runners."""
    lock_timeout: float = 0.1
    """Of one attempt: as long as it waits, everybody who comes after it waits too."""
    lock_budget: float = 600.0
    """For all attempts of one step at a lock."""
    statement_timeout: float = 600.0
    concurrent_timeout: float = 3600.0
    batch_timeout: float = 60.0
    batch_size: int = 5000
    """Rows."""
    batch_pause: float = 0.02
    long_transaction: float = 300.0
    """Older transactions are named; a concurrent step would wait for them and is refused."""
    create_extension: bool = False
    adopt: bool = False

    def pause(self) -> None:
        """Let others at the disk between two batches."""
        time.sleep(self.batch_pause)
