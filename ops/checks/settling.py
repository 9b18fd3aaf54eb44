"""Waits for pods that come or go: what they answer, or do not answer yet, says nothing of the release.

One that was told to end is sent nothing new, but an edge keeps its connections to it; one that an autoscaler
has just added starts.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from model.check_surroundings import CatalogCheck, CronJobsCheck, LogsCheck, PodsCheck, RowCheck
from ops.checks.workloads import STARTS
from ops.cluster import kubectl, objects
from ops.counted import counted
from ops.shown import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from model.checks import ChecksFile

WAIT_S = 45
LOOK_S = 1.0
COMES_S = 30
"""How old a pod may be that is on its way: one that is older and not ready is the checks' to judge."""
LATE_S = 5
"""How long after its time of grace a pod may still be listed; one that is listed for longer is stuck."""
_NOT_OF_PODS = (PodsCheck, CronJobsCheck, LogsCheck, CatalogCheck, RowCheck)


def matters_to(checks: ChecksFile) -> bool:
    """Say whether any of these checks asks what pods answer."""
    return any(not isinstance(check, _NOT_OF_PODS) for check in checks.all())


def until_settled(check: PodsCheck, context: str | None, stream: TextIO) -> None:
    """Return when no pod of these Deployments comes or goes, or after 45 s; `stream` is told what is awaited.

    Where kubectl gives no answer there is nothing to wait for: the check of the pods says so.
    """
    ends, told = time.monotonic() + WAIT_S, False
    while names := _now(check, context):
        found = f"{counted(len(names), 'pod that comes or goes', 'pods that come or go')}: {', '.join(names)}"
        if time.monotonic() > ends:
            show(f"ops checks: does not wait any longer for {found}\n", stream)
            return
        if not told:
            show(f"ops checks: waits up to {WAIT_S} s for {found}\n", stream)
            told = True
        time.sleep(LOOK_S)


def _now(check: PodsCheck, context: str | None) -> list[str]:
    try:
        found = kubectl.items("pods", check.namespace, context=context)
    except kubectl.KubectlError:
        return []
    return moving(found, check.images, datetime.now(UTC))


def moving(items: Iterable[Mapping[str, Any]], deployments: Iterable[str], now: datetime) -> list[str]:
    """Return the names of these Deployments' pods that start, or that were told to end and still may."""
    found = list(items)
    return [
        objects.name(pod)
        for deployment in deployments
        for pod in objects.labelled(found, deployment)
        if not objects.has_gone(pod) and (_goes(pod, now) if objects.is_leaving(pod) else _comes(pod, now))
    ]


def _goes(pod: Mapping[str, Any], now: datetime) -> bool:
    # Kubernetes writes down when its time of grace is over, not when it was told.
    killed = objects.moment(pod["metadata"]["deletionTimestamp"])
    return killed is not None and now < killed + timedelta(seconds=LATE_S)


def _comes(pod: Mapping[str, Any], now: datetime) -> bool:
    made = objects.moment(pod["metadata"].get("creationTimestamp"))
    young = made is not None and now < made + timedelta(seconds=COMES_S)
    return young and not objects.is_ready(pod) and objects.waiting_reason(pod) in (None, *STARTS)
