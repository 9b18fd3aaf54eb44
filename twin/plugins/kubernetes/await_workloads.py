"""Deployments and StatefulSets are ready when their newest pods are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes import kinds
from twin.plugins.kubernetes.await_pods import owned_by, owned_pods, pod_problems
from twin.plugins.kubernetes.awaiting import Sight

if TYPE_CHECKING:
    from twin.plugins.kubernetes import objects
    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.kinds import Kind

REVISION = "deployment.kubernetes.io/revision"
NO_LIVE_PODS = "Minimum number of live Pods was not attained"
FIRST_NOT_LIVE = "Minimum number of Pods to consider the application live was not attained"
NEW_NOT_LIVE = "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"


def look_at_deployment(client: Client, _kind: Kind, deployment: objects.Object) -> Sight:
    """What a Deployment, its newest ReplicaSet and that one's pods show. It never counts as failed.

    A rollout that ran into its progress deadline may still succeed, so only the timeout ends the wait.
    """
    meta, status = deployment["metadata"], deployment.get("status") or {}
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return Sight(progress="Waiting for the Deployment controller", reasons=[NO_LIVE_PODS])
    revision = (meta.get("annotations") or {}).get(REVISION, "")
    replica_set = _newest_replica_set(client, deployment, revision)
    wanted, ready = _replicas(replica_set)
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    available = conditions.get("Available", {}).get("status") == "True"
    progressing = conditions.get("Progressing", {})
    rolled_out = progressing.get("status") == "True" and progressing.get("reason") == "NewReplicaSetAvailable"
    live = replica_set is not None and ready >= wanted
    if available and live and (rolled_out or revision == "1"):
        return Sight(ready=True)
    reasons = [
        f"[{condition.get('reason')}] {condition.get('message')}"
        for condition in (progressing, conditions.get("Available", {}))
        if condition.get("status") == "False"
    ]
    if not available:
        reasons.append(NO_LIVE_PODS)
    elif not live or not rolled_out:
        reasons.append(FIRST_NOT_LIVE if revision == "1" else NEW_NOT_LIVE)
    if replica_set is not None:
        uid = replica_set["metadata"].get("uid", "")
        reasons += pod_problems(owned_pods(client, meta.get("namespace", ""), uid))
    return Sight(progress=_progress("app ReplicaSet", ready, wanted, reasons), reasons=reasons)


def look_at_stateful_set(client: Client, _kind: Kind, stateful_set: objects.Object) -> Sight:
    """What a StatefulSet and its pods show."""
    meta, status = stateful_set["metadata"], stateful_set.get("status") or {}
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return Sight(progress="Waiting for the StatefulSet controller", reasons=[NO_LIVE_PODS])
    wanted = (stateful_set.get("spec") or {}).get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    updated = status.get("updateRevision") == status.get("currentRevision")
    if ready >= wanted and updated:
        return Sight(ready=True)
    reasons = []
    if ready < wanted:
        reasons.append(f"{ready} out of {wanted} replicas succeeded readiness checks")
    if not updated:
        reasons.append(
            f"StatefulSet controller failed to advance from revision {status.get('currentRevision')!r}"
        )
    reasons += pod_problems(owned_pods(client, meta.get("namespace", ""), meta.get("uid", "")))
    return Sight(progress=_progress("StatefulSet", ready, wanted, reasons), reasons=reasons)


def _newest_replica_set(client: Client, deployment: objects.Object, revision: str) -> dict[str, Any] | None:
    meta = deployment["metadata"]
    for replica_set in client.list_objects(kinds.REPLICA_SET, meta.get("namespace", "")):
        annotations = replica_set["metadata"].get("annotations") or {}
        if owned_by(replica_set, meta.get("uid", "")) and annotations.get(REVISION) == revision:
            return replica_set
    return None


def _replicas(replica_set: dict[str, Any] | None) -> tuple[int, int]:
    """Replicas wanted by the live ReplicaSet (somebody may have scaled since the inputs), and ready ones."""
    if replica_set is None:
        return 1, 0
    wanted = (replica_set.get("spec") or {}).get("replicas", 1)
    ready = (replica_set.get("status") or {}).get("readyReplicas", 0)
    return wanted, ready


def _progress(what: str, ready: int, wanted: int, reasons: list[str]) -> str:
    """The count, and the first line of the last reason: the most particular one."""
    text = f"Waiting for {what} to be available ({ready}/{wanted} Pods available)"
    particular = [reason for reason in reasons if reason.startswith("[")]
    return text + (f": {particular[-1].splitlines()[0]}" if particular else "")
