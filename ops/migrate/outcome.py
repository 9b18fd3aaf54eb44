"""How a run can end: the exit codes and the one exception that carries them."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Exit codes of `ops migrate`; each says who has to act."""

    OK = 0
    LOCK_BUSY = 10
    REFUSED = 11
    TAMPERED = 12
    VERIFY_ROLLED_BACK = 13
    VERIFY_FAILED = 14
    NEEDS_OPERATOR = 15
    INTERRUPTED = 143


MEANINGS = {
    ExitCode.OK: "done, or there was nothing to do (--json tells which)",
    ExitCode.LOCK_BUSY: "a lock was held for the whole wait, by another runner or by a session that is named",
    ExitCode.REFUSED: "preflight: settings, connection, server or plan are not as needed; nothing changed",
    ExitCode.TAMPERED: "the ledger and the files disagree about what was applied; nothing changed",
    ExitCode.VERIFY_ROLLED_BACK: "the migration did not fulfil the contract and was rolled back",
    ExitCode.VERIFY_FAILED: "the database does not fulfil the contract; what is there was left as it is",
    ExitCode.NEEDS_OPERATOR: "a statement failed and its step is not done, or the history is out of order",
    ExitCode.INTERRUPTED: "SIGTERM or SIGINT: the running step is not done; run again, it goes on there",
}


class MigrateError(Exception):
    """A run that ended without success.

    Args:
        code: how the process exits.
        lines: cause first, then what helps; already free of secrets when it comes from this package.
    """

    def __init__(self, code: ExitCode, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.code = code
        self.lines = lines
