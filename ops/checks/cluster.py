"""Fetches what the checks of the cluster judge. From the operator's shell only: the gate may not ask."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops.checks import workloads
from ops.checks.asking import milliseconds_since
from ops.checks.result import Outcome
from ops.checks.sanitise import plain
from ops.cluster import kubectl
from ops.cluster import logs as container_logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.check_surroundings import CronJobsCheck, LogsCheck, PodsCheck
    from ops.checks.session import Session


async def pods(session: Session, check: PodsCheck) -> Outcome:
    """Judge the Deployments and their pods."""
    context = session.means.kube_context

    def judged() -> workloads.Fault | None:
        found = kubectl.items("deployments,pods", check.namespace, context=context)
        return workloads.pods_fault(check, found, datetime.now(UTC))

    return await _judged(judged)


async def cron_jobs(session: Session, check: CronJobsCheck) -> Outcome:
    """Judge the cron jobs and the last run of each."""
    context = session.means.kube_context

    def judged() -> workloads.Fault | None:
        found = kubectl.items("cronjobs,jobs", check.namespace, context=context)
        return _staying(workloads.cron_jobs_fault(check, found))

    return await _judged(judged)


async def logs(session: Session, check: LogsCheck) -> Outcome:
    """Judge what the pods have written since they began, which is since the release: the last part of it."""
    context = session.means.kube_context

    def judged() -> workloads.Fault | None:
        pods = kubectl.items("pods", check.namespace, context=context)
        texts = {
            name: container_logs.of_deployment(name, pods, check.namespace, context=context)
            for name in check.deployments
        }
        return _staying(workloads.log_fault(check, texts))

    return await _judged(judged)


def _staying(reason: str | None) -> workloads.Fault | None:
    return workloads.Fault(reason) if reason else None


async def _judged(judge: Callable[[], workloads.Fault | None]) -> Outcome:
    begun = time.monotonic()
    try:
        fault = await asyncio.to_thread(judge)
    except kubectl.KubectlError as error:
        return Outcome("errored", plain(str(error)), again=True)
    took = milliseconds_since(begun)
    if fault is None:
        return Outcome("passed", None, took, samples=(took,))
    return Outcome("failed", fault.reason, took, samples=(took,), again=fault.passes)
