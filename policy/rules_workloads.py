"""What keeps a workload serving, and what keeps a job from running wild."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policy.objects import SERVERS, At, pod_labels, pods, selects, whole
from policy.rule import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.rule import Manifest

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# Kubernetes looks every ten seconds: with less a run may never start.
SHORTEST_START = 10
MOST_RETRIES = 3
MOST_HISTORY = 10
SHARE_WHEN_UNSET = "25%"


def probes(manifest: Manifest) -> Iterator[Fault]:
    """A server says when it has started, when it may be asked, and when it hangs."""
    if manifest.get("kind") in SERVERS:
        for pod in pods(manifest):
            for here in pod.parts("containers"):
                for probe in PROBES:
                    if not here.get(probe):
                        yield Fault(here.below(probe), "unset")


def rollout(manifest: Manifest) -> Iterator[Fault]:
    """A new version takes no pod out of service before its successor answers."""
    if manifest.get("kind") != "Deployment":
        return
    strategy = whole(manifest).part("spec", "strategy")
    if strategy.get("type") == "Recreate":
        yield Fault(strategy.below("type"), "ends every pod first")
        return
    share = strategy.get("rollingUpdate", "maxUnavailable")
    if _of(share if share is not None else SHARE_WHEN_UNSET, replicas(manifest)) > 0:
        yield Fault(strategy.below("rollingUpdate", "maxUnavailable"), "above 0")


def replicas(manifest: Manifest) -> int:
    """How many pods a Deployment starts with; one that an autoscaler drives says nothing, and has one."""
    found = whole(manifest).get("spec", "replicas")
    return found if isinstance(found, int) else 1


def _of(share: Any, pods_in_all: int) -> int:
    """How many pods a number or a share means; Kubernetes rounds this one down."""
    text = str(share)
    return int(text[:-1]) * pods_in_all // 100 if text.endswith("%") else int(text)


def spread(manifest: Manifest) -> Iterator[Fault]:
    """Several pods are not all on one node."""
    if manifest.get("kind") not in ("Deployment", "StatefulSet"):
        return
    several = "replicas" not in manifest.get("spec", {}) or replicas(manifest) > 1
    for pod in pods(manifest):
        own = [
            constraint
            for constraint in pod.parts("topologySpreadConstraints")
            if selects(constraint.part("labelSelector").value, pod_labels(manifest))
        ]
        if several and not own:
            yield Fault(pod.below("topologySpreadConstraints"), "none that counts these pods")


def _cron_job(manifest: Manifest) -> Iterator[At]:
    if manifest.get("kind") == "CronJob":
        yield whole(manifest).part("spec")


def _job(manifest: Manifest) -> Iterator[At]:
    if manifest.get("kind") == "Job":
        yield whole(manifest).part("spec")
    for cron in _cron_job(manifest):
        yield cron.part("jobTemplate", "spec")


def time_zone(manifest: Manifest) -> Iterator[Fault]:
    """The schedule means one time, whatever clock the control plane has."""
    for cron in _cron_job(manifest):
        if not cron.get("timeZone"):
            yield Fault(cron.below("timeZone"), "unset")


def no_overlap(manifest: Manifest) -> Iterator[Fault]:
    """Two runs never work on the same rows."""
    for cron in _cron_job(manifest):
        if cron.get("concurrencyPolicy") != "Forbid":
            yield Fault(cron.below("concurrencyPolicy"), "not Forbid")


def late_start(manifest: Manifest) -> Iterator[Fault]:
    """A run that was missed is missed: without a deadline a hundred missed ones stop the schedule."""
    for cron in _cron_job(manifest):
        seconds = cron.get("startingDeadlineSeconds")
        if not isinstance(seconds, int) or seconds < SHORTEST_START:
            yield Fault(cron.below("startingDeadlineSeconds"), f"unset or below {SHORTEST_START}")


def history(manifest: Manifest) -> Iterator[Fault]:
    """Failed runs can be read, and finished ones do not pile up."""
    for cron in _cron_job(manifest):
        for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
            kept = cron.get(key)
            if not isinstance(kept, int) or not 1 <= kept <= MOST_HISTORY:
                yield Fault(cron.below(key), f"not 1 to {MOST_HISTORY}")


def job_deadline(manifest: Manifest) -> Iterator[Fault]:
    """A run that hangs ends, and is seen to have failed."""
    for job in _job(manifest):
        if not job.get("activeDeadlineSeconds"):
            yield Fault(job.below("activeDeadlineSeconds"), "unset")


def job_retries(manifest: Manifest) -> Iterator[Fault]:
    """A job that fails is not tried until nobody looks any more."""
    for job in _job(manifest):
        retries = job.get("backoffLimit")
        if not isinstance(retries, int) or retries > MOST_RETRIES:
            yield Fault(job.below("backoffLimit"), f"unset or above {MOST_RETRIES}")


def kept_pods(manifest: Manifest) -> Iterator[Fault]:
    """The pod of a failed run stays, with its logs: a container that is restarted in place loses them."""
    if manifest.get("kind") in ("Job", "CronJob"):
        for pod in pods(manifest):
            if pod.get("restartPolicy") != "Never":
                yield Fault(pod.below("restartPolicy"), "not Never")
