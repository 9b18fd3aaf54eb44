"""Reads the parts of Kubernetes' documents that people ask for. Pure; a missing field is an empty one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME_LABEL = "app.kubernetes.io/name"
_ENDED = ("Succeeded", "Failed")


def name(item: Mapping[str, Any]) -> str:
    """Its name."""
    return str(item.get("metadata", {}).get("name", ""))


def of(items: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Those of one kind, by name."""
    return sorted((item for item in items if item.get("kind") == kind), key=name)


def pods_of(items: Iterable[Mapping[str, Any]], deployment: str) -> list[Mapping[str, Any]]:
    """The pods of a Deployment that are not on their way out, by its name in their label.

    One that has ended for good (evicted, or its node was shut down) stays listed until somebody deletes it:
    another stands in for it, and where none does, the number of ready pods says so.
    """
    return [pod for pod in labelled(items, deployment) if not is_leaving(pod) and not has_gone(pod)]


def labelled(items: Iterable[Mapping[str, Any]], deployment: str) -> list[Mapping[str, Any]]:
    """All pods of a Deployment, those on their way out included, by its name in their label."""
    return [
        pod for pod in of(items, "Pod") if pod["metadata"].get("labels", {}).get(NAME_LABEL) == deployment
    ]


def is_leaving(pod: Mapping[str, Any]) -> bool:
    """Whether it was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def has_gone(pod: Mapping[str, Any]) -> bool:
    """Whether it has ended for good and is only listed."""
    return pod.get("status", {}).get("phase") in _ENDED


def containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The states of its containers, initial ones included."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def waiting_reason(pod: Mapping[str, Any]) -> str | None:
    """Why a container of it does not run, as Kubernetes calls it."""
    for container in containers(pod):
        if reason := container.get("state", {}).get("waiting", {}).get("reason"):
            return str(reason)
    return None


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether it takes requests."""
    states = pod.get("status", {}).get("containerStatuses", [])
    return bool(states) and all(state.get("ready") for state in states)


def images(item: Mapping[str, Any]) -> list[str]:
    """The images that a pod's specification names."""
    return [str(container.get("image", "")) for container in item.get("spec", {}).get("containers", [])]


def restarts(pod: Mapping[str, Any]) -> int:
    """How often its containers began anew."""
    return sum(int(container.get("restartCount", 0)) for container in containers(pod))


def last_ends(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """How each container that began anew had ended before."""
    for container in containers(pod):
        if ended := container.get("lastState", {}).get("terminated"):
            yield ended


def began_anew(pod: Mapping[str, Any]) -> list[str]:
    """The names of its containers that run again after an end; a waiting one's log is its last run's."""
    return [
        str(container.get("name", ""))
        for container in containers(pod)
        if "terminated" in container.get("lastState", {}) and "waiting" not in container.get("state", {})
    ]


def moment(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it."""
    return datetime.fromisoformat(text) if text else None


def jobs_of(items: Iterable[Mapping[str, Any]], cron_job: str) -> list[Mapping[str, Any]]:
    """The Jobs that a cron job made, the latest first; what people made by hand is none of them."""
    made = [
        job
        for job in of(items, "Job")
        if any(
            owner.get("kind") == "CronJob" and owner.get("name") == cron_job
            for owner in job["metadata"].get("ownerReferences", [])
        )
    ]
    return sorted(made, key=lambda job: str(job["metadata"].get("creationTimestamp")), reverse=True)


def last_ended(items: Iterable[Mapping[str, Any]], cron_job: str) -> Mapping[str, Any] | None:
    """The last of a cron job's Jobs that has ended: one that still runs must not hide what failed before."""
    return next((job for job in jobs_of(items, cron_job) if has_ended(job)), None)


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Its condition of that type, where it holds."""
    for found in item.get("status", {}).get("conditions", []):
        if found.get("type") == kind and found.get("status") == "True":
            return dict(found)
    return None


def has_ended(job: Mapping[str, Any]) -> bool:
    """Whether a Job has ended, well or not."""
    return any(condition(job, kind) for kind in ("Complete", "Failed"))
