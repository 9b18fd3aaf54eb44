"""Why a pod is not ready, in the words that its containers and the kubelet found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes import kinds, objects

if TYPE_CHECKING:
    from twin.plugins.kubernetes.client import Client

QUIET_WAITING = ("ContainerCreating", "PodInitializing")


def owned_pods(client: Client, namespace: str, uid: str) -> list[objects.Object]:
    """The pods of one controller, by its uid."""
    pods = client.list_objects(kinds.POD, namespace)
    return [pod for pod in pods if owned_by(pod, uid)]


def owned_by(obj: objects.Object, uid: str) -> bool:
    """Whether the object's owner has this uid."""
    return any(owner.get("uid") == uid for owner in obj["metadata"].get("ownerReferences") or [])


def pod_problems(pods: list[objects.Object]) -> list[str]:
    """One text a pod that has something to complain about, pods in the order of their names."""
    texts = [_problem(pod) for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))]
    return [text for text in texts if text]


def _problem(pod: objects.Object) -> str:
    status = pod.get("status") or {}
    conditions = {condition.get("type"): condition for condition in status.get("conditions") or []}
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        return f"[Pod {objects.qualified_name(pod)}]: {scheduled.get('message') or 'not scheduled'}"
    if status.get("phase") == "Succeeded":
        return ""
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    errors = [error for container in containers for error in _container_errors(container)]
    ready = conditions.get("Ready") or {}
    message = ready.get("message", "") if ready.get("status") != "True" and ready.get("reason") else ""
    if not errors and not message:
        return ""
    return f"[Pod {objects.qualified_name(pod)}]: {message}" + "\n".join(errors)


def _container_errors(status: dict[str, Any]) -> list[str]:
    if status.get("ready"):
        return []
    errors = []
    state = status.get("state") or {}
    waiting, terminated = state.get("waiting"), state.get("terminated")
    if waiting and waiting.get("reason") not in QUIET_WAITING:
        errors.append(f"[{waiting.get('reason')}] {waiting.get('message', '')}")
    if terminated and terminated.get("reason") not in (None, "Completed"):
        errors.append(_terminated(status, terminated))
    last = (status.get("lastState") or {}).get("terminated")
    if last:
        errors.append(
            f'container "{status.get("name")}" terminated at {last.get("finishedAt")} '
            f"({last.get('reason')}: exit code {last.get('exitCode')})"
        )
        if last.get("message"):
            errors.append(str(last["message"]))
    return errors


def _terminated(status: dict[str, Any], terminated: dict[str, Any]) -> str:
    if terminated.get("message"):
        return f"[{terminated['reason']}] {terminated['message']}"
    return f'container "{status.get("name")}" completed with exit code {terminated.get("exitCode")}'
