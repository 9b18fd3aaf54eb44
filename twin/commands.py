"""Runs a short command to its end: bounded, its output kept, its failure a `StepError` that says why."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 60


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = TIMEOUT_S,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What the command printed.

    Raises:
        StepError: it is not installed, failed, or took longer than `timeout_s`.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=environment,
        )
    except FileNotFoundError as error:
        raise StepError(f"`{argv[0]}` is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise StepError(f"`{' '.join(argv)}` took longer than {timeout_s:.0f} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise StepError(f"`{' '.join(argv)}` ended with code {done.returncode}: {said}")
    return done.stdout


def succeeds(argv: Sequence[str]) -> bool:
    """Whether the command is there and ends with code 0."""
    try:
        run(argv)
    except StepError:
        return False
    return True
