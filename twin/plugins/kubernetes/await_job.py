"""A Job is ready when it is complete, and has failed when it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes.await_pods import owned_pods, pod_problems
from twin.plugins.kubernetes.awaiting import Sight

if TYPE_CHECKING:
    from twin.plugins.kubernetes import objects
    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.kinds import Kind


def look(client: Client, _kind: Kind, job: objects.Object) -> Sight:
    """What a Job and its pods show."""
    if is_complete(job):
        return Sight(ready=True)
    status, conditions = job.get("status") or {}, _conditions(job)
    meta = job["metadata"]
    pods = pod_problems(owned_pods(client, meta.get("namespace", ""), meta.get("uid", "")))
    progress = (
        f"Waiting for Job {meta['name']} to succeed (Active: {status.get('active', 0)} | "
        f"Succeeded: {status.get('succeeded', 0)} | Failed: {status.get('failed', 0)})"
    )
    # The first says that it will fail as soon as its pods are gone.
    failed = conditions.get("FailureTarget") or conditions.get("Failed")
    if failed:
        reason = f"[{failed.get('reason')}] {failed.get('message')}"
        return Sight(failed=True, progress=progress, reasons=[], lasting=[*pods, reason])
    return Sight(progress=progress, lasting=pods)


def is_complete(job: objects.Object) -> bool:
    """Whether a Job has done its work."""
    return "Complete" in _conditions(job) and bool(job["status"].get("startTime"))


def _conditions(job: objects.Object) -> dict[str, dict[str, Any]]:
    """The conditions that are true, by type."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return {condition["type"]: condition for condition in conditions if condition.get("status") == "True"}
