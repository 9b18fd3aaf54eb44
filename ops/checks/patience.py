"""How much an answer that is not well is given another chance. Pure.

To be let in once, or to see a stranger's row once, is no moment's trouble: no later answer takes it back.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ops.checks.asking import NoAnswer
from ops.checks.judge import is_only_late, is_only_not_yet

if TYPE_CHECKING:
    from model.check_kinds import FunctionalCall, HealthCheck
    from ops.checks.judge import Answer

WELL_IN_A_ROW = 3
"""How often a health address has to be well once it was not: beside a bad replica it is well now and then."""

_OF_A_PROXY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


def with_health(check: HealthCheck, answer: Answer | NoAnswer) -> int:
    """Return how many good answers in a row make up for this one; 0 where it stands.

    Right after a rollout an old pod may still answer for a moment, so a wrong version is asked again too.
    """
    if isinstance(answer, NoAnswer):
        return 0 if answer.final else WELL_IN_A_ROW
    return 1 if is_only_late(check, answer) else WELL_IN_A_ROW


def with_call(check: FunctionalCall, answer: Answer | NoAnswer) -> int:
    """Return 1 where the call is to be made again, 0 where this answer stands.

    What may have been done is not asked for twice: a proxy's 503 may come after the row was written.
    """
    if isinstance(answer, NoAnswer):
        return int(not answer.final and (check.method == "GET" or not answer.received))
    return int(check.method == "GET" and (answer.status in _OF_A_PROXY or is_only_not_yet(check, answer)))


def with_grant(answer: Answer | NoAnswer) -> int:
    """Return 1 where to sign in again, which does no harm, 0 where this answer stands."""
    if isinstance(answer, NoAnswer):
        return int(not answer.final)
    busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    return int(busy or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
