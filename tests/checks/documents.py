"""What kubectl answers about a healthy namespace, as documents to break; and a kubectl that says them."""

from __future__ import annotations

import copy
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAMESPACE = "staging"
IMAGES = {
    "backend": f"registry.example.com/orka-ppm-backend@sha256:{'b' * 64}",
    "frontend": f"registry.example.com/orka-ppm-frontend@sha256:{'f' * 64}",
}
OLD_IMAGE = f"registry.example.com/orka-ppm-backend@sha256:{'a' * 64}"
SCHEDULES = {
    "anomaly-detection-job": "0 * * * *",
    "embedding-generation-job": "*/5 * * * *",
    "model-training-job": "0 0 * * 0",
    "scheduled-reports-job": "0 6 * * *",
}
REPLICAS = {"backend": 2, "frontend": 1}
LOGS = {
    "backend": "2026-01-16 02:00:01 INFO app.main release sha256:b is ready\n",
    "frontend": "INFO:     Uvicorn running on http://0.0.0.0:3000\n",
}

WAITS = 'container "backend" in pod "backend-new-1" is waiting to start: trying and failing to pull image'

Namespace = dict[str, Any]
"""`items`, all in one list; `logs` by Deployment; `previous` by pod that crashed; `unlogged` by Deployment
what is said of pods whose log is refused; kinds `forbidden` or `unknown`."""


def stamp(age_s: float = 0) -> str:
    """A moment `age_s` seconds ago, as Kubernetes writes it."""
    return (datetime.now(UTC) - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


def healthy() -> Namespace:
    """Two backend pods, one of the frontend, the guide's four cron jobs, each with a run that went well."""
    items: list[Any] = []
    for name, count in REPLICAS.items():
        items.append(_deployment(name, count))
        items += [_pod(name, number) for number in range(count)]
    for name, schedule in SCHEDULES.items():
        items += [_cron_job(name, schedule), _job(name)]
    return copy.deepcopy({"items": items, "logs": LOGS, "previous": {}})


def one(namespace: Namespace, kind: str, name: str) -> Any:
    """The object of that kind whose name begins so, to be changed in place."""
    return next(
        item
        for item in namespace["items"]
        if item["kind"] == kind and item["metadata"]["name"].startswith(name)
    )


def without(namespace: Namespace, kind: str, name: str) -> None:
    """Remove one object."""
    namespace["items"].remove(one(namespace, kind, name))


def crash_loop(namespace: Namespace) -> None:
    """A backend pod that does not come up."""
    state = one(namespace, "Pod", "backend-")["status"]["containerStatuses"][0]
    state |= {"ready": False, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}


def starting(namespace: Namespace) -> None:
    """A backend pod that an autoscaler has just added."""
    state = one(namespace, "Pod", "backend-")["status"]["containerStatuses"][0]
    state |= {"ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}


def restarted(namespace: Namespace) -> None:
    """A backend pod that crashed some time after it had begun, and runs again."""
    state = one(namespace, "Pod", "backend-")["status"]["containerStatuses"][0]
    ended = {"reason": "Error", "exitCode": 70, "finishedAt": stamp(120)}
    state |= {"restartCount": 1, "lastState": {"terminated": ended}}


def stale_pod(namespace: Namespace) -> None:
    """A backend pod of the release before."""
    one(namespace, "Pod", "backend-")["spec"]["containers"][0]["image"] = OLD_IMAGE


def evicted(namespace: Namespace) -> None:
    """A backend pod of the release before, put out of its node: it stays listed, and another runs for it."""
    pod = copy.deepcopy(one(namespace, "Pod", "backend-"))
    pod["metadata"]["name"] = "backend-59f8d7-0"
    pod["spec"]["containers"][0]["image"] = OLD_IMAGE
    pod["status"] = {"phase": "Failed", "reason": "Evicted"}
    namespace["items"].append(pod)


def unlogged(said: str) -> Callable[[Namespace], None]:
    """A further backend pod, whose log the API server refuses with these words."""
    return lambda namespace: namespace.update(unlogged={"backend": [said]})


def suspended(namespace: Namespace) -> None:
    """A job that somebody switched off."""
    one(namespace, "CronJob", "anomaly-detection-job")["spec"]["suspend"] = True


def failed_run(namespace: Namespace) -> None:
    """A job whose last run failed."""
    job = one(namespace, "Job", "embedding-generation-job-")
    job["status"] = {
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}],
        "failed": 1,
    }


def next_run(status: Mapping[str, Any] | None = None) -> Callable[[Namespace], None]:
    """A newer run of the job that `failed_run` breaks, in this state or gone well."""

    def change(namespace: Namespace) -> None:
        job = one(healthy(), "Job", "embedding-generation-job-")
        job["metadata"] |= {"name": "embedding-generation-job-29482", "creationTimestamp": stamp(1)}
        job["status"] = status or job["status"]
        namespace["items"].append(job)

    return change


def write_kubectl(folder: Path) -> Path:
    """Write a `kubectl` into `folder` that answers `get` and `logs` from `namespace.json` beside it."""
    program = folder / "kubectl"
    text = _KUBECTL.replace("@FILE@", str(folder / "namespace.json"))
    program.write_text(text.replace("@PYTHON@", sys.executable))
    program.chmod(0o755)
    return program


def publish(folder: Path, *changes: Callable[[Namespace], None]) -> None:
    """Make the kubectl in `folder` tell of a healthy namespace with these changes."""
    namespace = healthy()
    for change in changes:
        change(namespace)
    (folder / "namespace.json").write_text(json.dumps(namespace))


_KUBECTL = '''#!@PYTHON@ -IS
"""Answers as kubectl does, from a file; what it does not know it refuses."""
import json, sys
known = json.load(open("@FILE@"))
words = [word for word in sys.argv[1:] if not word.startswith("--request-timeout")]
if known.get("refuses"):
    sys.exit("error: " + known["refuses"])
asked = dict(zip(words[1::1], words[2::1]))
plural = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
if words[0] == "get":
    wanted = {word.partition(".")[0] for word in words[1].split(",")}
    if refused := wanted.intersection(known.get("forbidden", [])):
        sys.exit("".join(f'User "x" cannot list resource "{kind}" ' for kind in refused))
    if unknown := wanted.intersection(known.get("unknown", [])):
        sys.exit(f'error: the server doesn\\'t have a resource type "{min(unknown)}" in group "x"')
    is_one = lambda kind: plural.get(kind, kind.lower() + "s") in wanted
    print(json.dumps({"kind": "List", "items": [item for item in known["items"] if is_one(item["kind"])]}))
elif words[0] == "logs":
    before, chosen = "--previous" in words, asked.get("--selector", words[1])
    name = chosen.partition("=")[2] or chosen.partition("/")[2]
    texts = known["previous" if before else "logs"]
    if before and name not in texts:
        sys.exit("Error from server (BadRequest): previous terminated container not found")
    for said in known.get("unlogged", {}).get(name, []):
        if "--ignore-errors" not in words:
            sys.exit("Error from server (BadRequest): " + said)
        print("error: " + said)
    # kubectl would end a longer log here, not begin it later.
    limit = next((int(word.partition("=")[2]) for word in words if word.startswith("--limit-bytes=")), None)
    prefix = "[pod/" + name + "/main] " if "--prefix" in words else ""
    tail = next((int(word.partition("=")[2]) for word in words if word.startswith("--tail=")), -1)
    lines = texts[name][:limit].splitlines(True)
    print("".join(prefix + line for line in (lines[-tail:] if tail > 0 else lines)), end="")
else:
    sys.exit("error: this kubectl does not know " + words[0])
'''


def _meta(name: str, label: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/name": label, "app.kubernetes.io/part-of": "orka-ppm"},
        "creationTimestamp": stamp(7_200),
        "managedFields": [{"manager": "pulumi-kubernetes", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
        **more,
    }


def _deployment(name: str, replicas: int) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": _meta(name, name),
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": name, "image": IMAGES[name]}]}},
        },
        "status": {"readyReplicas": replicas, "updatedReplicas": replicas},
    }


def _pod(name: str, number: int) -> dict[str, Any]:
    state = {"name": name, "ready": True, "restartCount": 0, "state": {"running": {}}}
    return {
        "kind": "Pod",
        "metadata": _meta(f"{name}-7d4b9c-{number}", name),
        "spec": {"containers": [{"name": name, "image": IMAGES[name]}]},
        "status": {"phase": "Running", "containerStatuses": [state]},
    }


def _cron_job(name: str, schedule: str) -> dict[str, Any]:
    return {
        "kind": "CronJob",
        "metadata": _meta(name, name),
        "spec": {"schedule": schedule, "suspend": False},
        "status": {"lastScheduleTime": stamp(300), "active": []},
    }


def _job(cron_job: str) -> dict[str, Any]:
    return {
        "kind": "Job",
        "metadata": _meta(
            f"{cron_job}-29481", cron_job, ownerReferences=[{"kind": "CronJob", "name": cron_job}]
        ),
        "spec": {"completions": 1},
        "status": {
            "succeeded": 1,
            "startTime": stamp(300),
            "completionTime": stamp(290),
            "conditions": [{"type": "Complete", "status": "True"}],
        },
    }
