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

    def longer(self, limit: str) -> str:
        """What to do where the time of that name was too short."""
        flag = limit.replace("_", "-")
        return f"give a larger --{flag} (now {getattr(self, limit):g} s) and run again"

    def pause(self) -> None:
        """Let others at the disk between two batches."""
        time.sleep(self.batch_pause)


# What each of them limits, for the command line.
LIMITS = {
    "lock_wait": "for the lock against other runners",
    "lock_timeout": "of one attempt at a table's lock; others wait behind it",
    "lock_budget": "for all attempts of a step at a lock",
    "statement_timeout": "for a statement in a transaction",
    "concurrent_timeout": "for a concurrent index build",
    "batch_timeout": "for a statement of a batch",
    "batch_size": "of a backfill",
    "batch_pause": "between two batches",
    "long_transaction": "from which age a transaction is named, or refused before a concurrent step",
}
# Of these 0 means not to wait; to the server 0 is no limit at all.
WAITS = ("lock_wait", "lock_budget", "batch_pause", "long_transaction")
# Those of a rollback, which is nothing but a wait for locks and one transaction.
LOCK_LIMITS = ("lock_wait", "lock_timeout", "lock_budget")
