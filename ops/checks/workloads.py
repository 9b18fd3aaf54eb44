"""Judges what runs in the cluster by Kubernetes' documents: pods, cron jobs, lines of logs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ops.checks.sanitise import plain
from ops.cluster import objects
from ops.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from model.check_surroundings import CronJobsCheck, LogsCheck, PodsCheck


STARTS = ("ContainerCreating", "PodInitializing")
"""Why a container waits that is on its way: so does each pod that an autoscaler adds."""


@dataclass(frozen=True)
class Fault:
    """What is wrong; `passes` says that it may be over when one looks again."""

    reason: str
    passes: bool = False


def pods_fault(check: PodsCheck, items: Iterable[Mapping[str, Any]], now: datetime) -> Fault | None:
    """Return what is wrong with the Deployments or their pods, or None. What stays comes first."""
    found = list(_pods_faults(check, list(items), now))
    return next((fault for fault in found if not fault.passes), found[0] if found else None)


def _pods_faults(check: PodsCheck, items: list[Mapping[str, Any]], now: datetime) -> Iterator[Fault]:
    deployments = {objects.name(item): item for item in objects.of(items, "Deployment")}
    for name, image in check.images.items():
        if name not in deployments:
            yield Fault(f"there is no Deployment {name}")
            continue
        pods = objects.pods_of(items, name)
        yield from _pod_faults(pods, image)
        yield from _count_faults(deployments[name], pods)
        if fault := _restart_fault(pods, now - timedelta(seconds=check.window_s)):
            yield Fault(fault)


def _pod_faults(pods: Iterable[Mapping[str, Any]], image: str) -> Iterator[Fault]:
    for pod in pods:
        name = objects.name(pod)
        if reason := objects.waiting_reason(pod):
            yield Fault(f"pod {name} does not run: {reason}", passes=reason in STARTS)
        other = [found for found in objects.images(pod) if found != image]
        if other:
            yield Fault(f"pod {name} runs {_short(other[0])}, the release is {_short(image)}")


def _count_faults(deployment: Mapping[str, Any], pods: list[Mapping[str, Any]]) -> Iterator[Fault]:
    wanted = int(deployment.get("spec", {}).get("replicas", 1))
    ready = sum(objects.is_ready(pod) for pod in pods)
    if ready != wanted:
        reason = f"{objects.name(deployment)} has {counted(ready, 'ready pod')}, expected {wanted}"
        yield Fault(reason, passes=True)


def _restart_fault(pods: Iterable[Mapping[str, Any]], since: datetime) -> str | None:
    for pod in pods:
        for ended in objects.last_ends(pod):
            at = objects.moment(ended.get("finishedAt"))
            if at is None or at >= since:
                code = f"{ended.get('reason', 'ended')}, exit code {ended.get('exitCode', '?')}"
                times = counted(objects.restarts(pod), "time")
                return f"pod {objects.name(pod)} restarted {times}, last after {code}"
    return None


def cron_jobs_fault(check: CronJobsCheck, items: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what is wrong with the cron jobs or their last runs, or None."""
    found = list(items)
    present = {objects.name(item): item for item in objects.of(found, "CronJob")}
    if missing := sorted(check.schedules.keys() - present.keys()):
        return f"there is no cron job {', '.join(missing)}"
    if stale := sorted(present.keys() - check.schedules.keys()):
        return f"{', '.join(stale)} is a cron job that this release does not have"
    for name, schedule in check.schedules.items():
        spec = present[name].get("spec", {})
        if fault := _time_fault(name, spec, schedule, check.time_zone):
            return fault
        meant = name in check.suspended
        if fault := suspension_fault(name, is_so=bool(spec.get("suspend")), meant=meant):
            return fault
        if meant:
            # No run follows: its last one would stay red for as long as it rests.
            continue
        last = objects.last_ended(found, name)
        failed = objects.condition(last, "Failed") if last else None
        if last and failed:
            return (
                f"the last run of {name} failed: {failed.get('reason', 'no reason')} ({objects.name(last)})"
            )
    return None


def _time_fault(name: str, spec: Mapping[str, Any], schedule: str, zone: str | None) -> str | None:
    if spec.get("schedule") != schedule:
        return f"{name} runs at {plain(str(spec.get('schedule')), 40)}, expected {schedule}"
    found = spec.get("timeZone")
    if zone and found != zone:
        shown = plain(str(found or "the controller's own"), 40)
        return f"{name} runs by the time zone {shown}, expected {zone}"
    return None


def suspension_fault(name: str, *, is_so: bool, meant: bool) -> str | None:
    """Return what is wrong with a cron job that is suspended or is not, by what the settings say."""
    if is_so == meant:
        return None
    return f"{name} is suspended" if is_so else f"{name} is not suspended, though the settings say so"


def log_fault(check: LogsCheck, logs: Mapping[str, str]) -> str | None:
    """Return how many lines are faults, and the first of them without secrets. `logs` by Deployment."""
    faults = [re.compile(pattern) for pattern in check.faults]
    allowed = [re.compile(pattern) for pattern in check.allowed]
    hits = [
        (name, line)
        for name, text in logs.items()
        for line in text.splitlines()
        if any(fault.search(line) for fault in faults) and not any(known.search(line) for known in allowed)
    ]
    if not hits:
        return None
    name, line = hits[0]
    found = counted(len(hits), f"line of {name} is a fault", f"lines of {name} are faults, the first")
    return f"{found}: {plain(line, 160)}"


def _short(image: str) -> str:
    repository, at, digest = image.partition("@")
    return f"{repository.rpartition('/')[2]}{at}{digest[:19]}"
