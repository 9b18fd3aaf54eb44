"""How long an address takes: samples in turn, and the percentiles that its targets are about."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.check_kinds import LatencyCheck
    from ops.checks.session import Session

_OK = 200


async def latency(session: Session, check: LatencyCheck) -> Outcome:
    """Take the samples, one after the other; a sample without a good answer ends it."""
    if session.token is None:
        return Outcome("errored", "there is no token to call with", attempts=0)
    request = Request("GET", check.url, headers={"authorization": f"Bearer {session.token}"})
    samples: list[int] = []
    for attempt in range(1, check.samples + 1):
        if session.left() <= 0:
            reason = f"the time for all checks ran out after {len(samples)} of {check.samples} samples"
            return Outcome("inconclusive", reason, attempts=attempt - 1, samples=tuple(samples))
        answer = await ask(session.http, request, session.seconds())
        if isinstance(answer, NoAnswer):
            again = not answer.final
            return Outcome("errored", answer.reason, attempts=attempt, samples=tuple(samples), again=again)
        if answer.status != _OK:
            reason = f"answered {answer.status}, expected 200: its time says nothing"
            return Outcome("failed", reason, answer.latency_ms, attempt, tuple(samples))
        samples.append(answer.latency_ms)
    missed = against_targets(samples, check.p50_ms, check.p95_ms)
    middle = percentile(samples, 50)
    return Outcome("failed" if missed else "passed", missed, middle, len(samples), tuple(samples))


def against_targets(samples: Sequence[int], p50_ms: int, p95_ms: int) -> str | None:
    """Return which target is missed and by what, or None."""
    p50, p95 = percentile(samples, 50), percentile(samples, 95)
    missed = [
        f"p{share} is {found} ms, the target is {target} ms"
        for share, found, target in ((50, p50, p50_ms), (95, p95, p95_ms))
        if found > target
    ]
    return "; ".join(missed) or None


def percentile(samples: Sequence[int], share: int) -> int:
    """Return the smallest sample that at least `share` percent of all do not exceed (nearest rank)."""
    return sorted(samples)[max(1, math.ceil(share * len(samples) / 100)) - 1]
