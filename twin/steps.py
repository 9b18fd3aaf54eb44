"""A step of `twin up`, and how a list of them is shown while it runs.

`twin.services` offers its own as `steps()` (before the cluster) and `steps_after_cluster()`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class StepError(Exception):
    """A step failed; the message carries the cause, the place to look and, where known, the remedy."""


@dataclass(frozen=True)
class Step:
    """One visible piece of work.

    `run` does it, or finds it done already, and answers with a few words for the progress line.
    It must be safe to repeat after having been killed anywhere. It raises `StepError` or any exception.
    """

    name: str
    run: Callable[[], str]


def run_all(steps: Sequence[Step]) -> None:
    """Run the steps in order, one line each with number, name, outcome and elapsed seconds.

    Raises:
        StepError: a step failed; the message begins with its name.
    """
    began = time.monotonic()
    for number, step in enumerate(steps, start=1):
        started = time.monotonic()
        place = f"[{number}/{len(steps)}]"
        try:
            outcome = step.run()
        except StepError as error:
            raise StepError(f"{place} {step.name}: {error}") from error
        except Exception as error:
            raise StepError(f"{place} {step.name}: {type(error).__name__}: {error}") from error
        now = time.monotonic()
        say(f"{place} {step.name}: {outcome} ({now - started:.1f} s; {now - began:.0f} s in all)")


def say(line: str) -> None:
    """Progress goes to stderr: stdout belongs to what a command was asked for."""
    print(f"[twin] {line}", file=sys.stderr, flush=True)
