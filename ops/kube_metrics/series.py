"""From Kubernetes' documents to series with kube-state-metrics' names and labels. Pure.

Of its hundreds of series these are the ones that the alerts look at. One thing differs: reasons that an alert
asks for are there as 0 too, so that a query for them finds something on a quiet day.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from model.quantity import amount
from model.release import RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Json = dict[str, Any]
Series = tuple[str, dict[str, str], float]
WAITING = ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ContainerCreating")
TERMINATED = ("OOMKilled", "Error", "Completed")
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
STATES = ("True", "False", "Unknown")


def seconds(text: str) -> float:
    """A time of the API as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def pods(items: Iterable[Json]) -> Iterator[Series]:
    """Phases, and what became of each container."""
    for item in items:
        labels = {"namespace": item["metadata"]["namespace"], "pod": item["metadata"]["name"]}
        phase = item.get("status", {}).get("phase", "Unknown")
        for one in PHASES:
            yield "kube_pod_status_phase", {**labels, "phase": one}, float(phase == one)
        for status in item.get("status", {}).get("containerStatuses", ()):
            yield from _container({**labels, "container": status["name"]}, status)


def _container(labels: Mapping[str, str], status: Json) -> Iterator[Series]:
    yield "kube_pod_container_status_restarts_total", dict(labels), float(status.get("restartCount", 0))
    waiting = status.get("state", {}).get("waiting", {}).get("reason")
    ended = status.get("lastState", {}).get("terminated", {}).get("reason")
    for name, known, now in (
        ("kube_pod_container_status_waiting_reason", WAITING, waiting),
        ("kube_pod_container_status_last_terminated_reason", TERMINATED, ended),
    ):
        for reason in (*known, *([now] if now and now not in known else [])):
            yield name, {**labels, "reason": reason}, float(reason == now)


def deployments(items: Iterable[Json]) -> Iterator[Series]:
    """How many pods there should be and are, whether a rollout moves; and the release, from its mark."""
    for item in items:
        metadata = item["metadata"]
        labels = {"namespace": metadata["namespace"], "deployment": metadata["name"]}
        release = metadata.get("annotations", {}).get(RELEASE)
        if release:
            yield "orka_release_info", {"namespace": metadata["namespace"], "release": release}, 1.0
        status = item.get("status", {})
        yield "kube_deployment_spec_replicas", labels, float(item["spec"].get("replicas", 1))
        available = float(status.get("availableReplicas", 0))
        yield "kube_deployment_status_replicas_available", labels, available
        for condition in status.get("conditions", ()):
            for state in STATES:
                at = {**labels, "condition": condition["type"], "status": state.lower()}
                yield "kube_deployment_status_condition", at, float(condition["status"] == state)


def disruption_budgets(items: Iterable[Json]) -> Iterator[Series]:
    """How many pods are healthy, and how many have to be before one may be taken away."""
    for item in items:
        labels = {"namespace": item["metadata"]["namespace"], "poddisruptionbudget": item["metadata"]["name"]}
        for field in ("currentHealthy", "desiredHealthy"):
            name = f"kube_poddisruptionbudget_status_{field.removesuffix('Healthy')}_healthy"
            yield name, labels, float(item.get("status", {}).get(field, 0))


def jobs(items: Iterable[Json]) -> Iterator[Series]:
    """Whose each job is, since when it runs, and whether it failed."""
    for item in items:
        metadata, status = item["metadata"], item.get("status", {})
        labels = {"namespace": metadata["namespace"], "job_name": metadata["name"]}
        owner: Json = next(iter(metadata.get("ownerReferences", ())), {})
        named = {"owner_kind": owner.get("kind", "<none>"), "owner_name": owner.get("name", "<none>")}
        yield "kube_job_owner", {**labels, **named}, 1.0
        yield "kube_job_status_active", labels, float(status.get("active", 0))
        if status.get("startTime"):
            yield "kube_job_status_start_time", labels, seconds(status["startTime"])
        conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
        failed = float(conditions.get("Failed") == "True")
        yield "kube_job_failed", {**labels, "condition": "true"}, failed


def cron_jobs(items: Iterable[Json]) -> Iterator[Series]:
    """When each was made, last started and last succeeded; a time that has not come yet has no series."""
    for item in items:
        metadata, status = item["metadata"], item.get("status", {})
        labels = {"namespace": metadata["namespace"], "cronjob": metadata["name"]}
        zone = {"schedule": item["spec"]["schedule"], "timezone": item["spec"].get("timeZone", "local")}
        yield "kube_cronjob_info", {**labels, **zone}, 1.0
        yield "kube_cronjob_created", labels, seconds(metadata["creationTimestamp"])
        yield "kube_cronjob_spec_suspend", labels, float(bool(item["spec"].get("suspend")))
        yield "kube_cronjob_status_active", labels, float(len(status.get("active", ())))
        for field, name in (
            ("lastScheduleTime", "kube_cronjob_status_last_schedule_time"),
            ("lastSuccessfulTime", "kube_cronjob_status_last_successful_time"),
        ):
            if status.get(field):
                yield name, labels, seconds(status[field])


def quotas(items: Iterable[Json]) -> Iterator[Series]:
    """What may be used, and what is."""
    for item in items:
        labels = {"namespace": item["metadata"]["namespace"], "resourcequota": item["metadata"]["name"]}
        for kind in ("hard", "used"):
            for resource, quantity in item.get("status", {}).get(kind, {}).items():
                yield (
                    "kube_resourcequota",
                    {**labels, "resource": resource, "type": kind},
                    float(amount(quantity)),
                )
