"""Broken releases on the twin as data: what is done to the cluster, and which checks must be red for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.checks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops.checks.result import Verdict
    from tests.checks.variant import Variant

Pods = list[dict[str, Any]]

NOWHERE = "127.0.0.1:9"
DEGRADED = "field 'status' is \"degraded\""
AWAY = {"openai": DEGRADED, "backend": "explained by openai", "semantic-search": "explained by openai"}
CORS = "nginx.ingress.kubernetes.io/cors-allow-origin"
ANY_NODE = "--selector=kubernetes.io/os"
EMBEDDING = "embedding-generation-job"
FAILS = json.dumps(
    {
        "spec": {
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "template": {
                        "spec": {
                            "containers": [{"name": "job", "args": ["python", "-c", "raise SystemExit(1)"]}]
                        }
                    },
                }
            }
        }
    }
)
PODS_DIE = ("delete", "pods", "--selector", "app.kubernetes.io/name=backend")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One way to break what runs.

    `env` goes into the Deployment `backend`; `kubectl` are further commands, run once that is rolled out;
    `bench` is how the same is broken on the bench, where the cluster has no way of its own; `until` is what
    the backend's pods must show before the check; `user` is laid over the variables of `ops checks`; `normal`
    variants are part of every run, all of them of `--soak`.
    """

    name: str
    red: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    kubectl: tuple[tuple[str, ...], ...] = ()
    undo: tuple[tuple[str, ...], ...] = ()
    user: Mapping[str, str] = field(default_factory=dict)
    bench: Variant | None = None
    stale: bool = False
    """Whether a pod of another image stands among the backend's."""
    settles: bool = True
    """Whether the backend's rollout comes to its end."""
    until: Callable[[Pods], bool] = lambda _: True
    verdict: Verdict = "failed"
    normal: bool = False


def _as_on_the_bench(variant: Variant) -> Broken:
    return Broken(name=variant.name, red=variant.red, verdict=variant.verdict, bench=variant)


def _begun_anew(pods: Pods) -> bool:
    states = _states(pods)
    return bool(states) and all(state["ready"] and state["restartCount"] for state in states)


def _one_waits(pods: Pods) -> bool:
    return any("CrashLoopBackOff" in json.dumps(state["state"]) for state in _states(pods))


def _one_has_no_node(pods: Pods) -> bool:
    return any("nodeName" not in pod["spec"] for pod in pods)


def _states(pods: Pods) -> list[dict[str, Any]]:
    return [state for pod in pods for state in pod["status"].get("containerStatuses", [])]


def _patch(name: str, **spec: object) -> tuple[str, ...]:
    return ("patch", "cronjob", name, "--patch", json.dumps({"spec": spec}))


def _say(line: str) -> tuple[str, ...]:
    return _in_a_pod(f"echo '{line}'")


def _in_a_pod(script: str) -> tuple[str, ...]:
    return ("exec", "deployment/backend", "--", "sh", "-c", f"({script}) > /proc/1/fd/1")


TRACEBACK = "Traceback (most recent call last):"
IN_THE_CLUSTER = (
    Broken(
        name="Redis degraded with code 200",
        env={"ORKA_FAIL_DEGRADED": "redis"},
        red={"redis": DEGRADED, "backend": DEGRADED},
        normal=True,
    ),
    Broken(
        name="suspended job",
        kubectl=(_patch("anomaly-detection-job", suspend=True),),
        red={"cron-jobs": "anomaly-detection-job is suspended"},
        normal=True,
    ),
    Broken(
        name="crash some time after the start",
        env={"ORKA_FAIL_CRASH_AFTER_S": "20"},
        until=_begun_anew,
        red={"pods": "exit code 70"},
        normal=True,
    ),
    Broken(
        name="traceback in the log",
        kubectl=(_say(TRACEBACK),),
        undo=(PODS_DIE,),
        red={"logs": TRACEBACK},
        normal=True,
    ),
    Broken(
        name="OpenAI away",
        env={"OPENAI_BASE_URL": f"http://{NOWHERE}/v1"},
        red=AWAY,
        verdict="passed",
        normal=True,
    ),
    Broken(
        name="database degraded with code 200",
        env={"ORKA_FAIL_DEGRADED": "db"},
        red={"database": DEGRADED, "backend": DEGRADED},
    ),
    Broken(
        name="Redis refuses the password",
        env={"REDIS_PASSWORD": "wrong"},
        red={"redis": DEGRADED, "backend": DEGRADED},
    ),
    Broken(
        name="Redis away",
        env={"REDIS_URL": f"redis://{NOWHERE}"},
        red={"redis": DEGRADED, "backend": DEGRADED},
    ),
    Broken(
        name="every answer slow",
        env={"ORKA_FAIL_SLOW_MS": "1300"},
        red={
            **dict.fromkeys(("backend", "database", "redis"), "allowed are 1000 ms"),
            "api-latency": "p50 is",
        },
    ),
    Broken(
        name="job at another time",
        kubectl=(_patch("scheduled-reports-job", schedule="0 7 * * *"),),
        red={"cron-jobs": "scheduled-reports-job runs at 0 7 * * *"},
    ),
    Broken(
        name="missing job",
        kubectl=(("delete", "cronjob", "model-training-job"),),
        red={"cron-jobs": "there is no cron job model-training-job"},
    ),
    Broken(
        name="stale job",
        kubectl=(("create", "cronjob", "old-job", "--image=busybox", "--schedule=0 0 1 1 *"),),
        undo=(("delete", "cronjob", "old-job"),),
        red={"cron-jobs": "old-job is a cron job that this release does not have"},
    ),
    Broken(
        name="critical line in the log",
        kubectl=(_say("CRITICAL no disk"),),
        undo=(PODS_DIE,),
        red={"logs": "CRITICAL no disk"},
    ),
    Broken(
        name="traceback at the end of a long log",
        kubectl=(_in_a_pod(f"yes INFO of no interest | head -n 120000; echo '{TRACEBACK}'"),),
        undo=(PODS_DIE,),
        red={"logs": TRACEBACK},
    ),
    Broken(
        name="traceback of a crash",
        env={"ORKA_FAIL_CRASH_AFTER_S": "20"},
        kubectl=(_say(TRACEBACK),),
        until=_begun_anew,
        red={"pods": "exit code 70", "logs": "the first: Traceback"},
    ),
    Broken(
        name="crash loop",
        env={"ORKA_FAIL_CRASH_AFTER_S": "0.1"},
        settles=False,
        until=_one_waits,
        red={"pods": "does not run: CrashLoopBackOff"},
    ),
    Broken(
        name="a pod too few",
        kubectl=(("cordon", ANY_NODE), ("scale", "deployment/backend", "--replicas=3")),
        undo=(("uncordon", ANY_NODE), ("scale", "deployment/backend", "--replicas=2")),
        until=_one_has_no_node,
        red={"pods": "backend has 2 ready pods, expected 3"},
    ),
    Broken(name="stale pod of an old digest", stale=True, red={"pods": "the release is"}),
    Broken(
        name="failed job",
        kubectl=(
            ("patch", "cronjob", EMBEDDING, "--patch", FAILS),
            ("create", "job", "failed-by-hand", f"--from=cronjob/{EMBEDDING}"),
            ("wait", "--for=condition=failed", "job/failed-by-hand", "--timeout=90s"),
        ),
        undo=(("delete", "job", "failed-by-hand"),),
        red={"cron-jobs": f"the last run of {EMBEDDING} failed: BackoffLimitExceeded"},
    ),
    Broken(
        name="cluster not reached",
        user={"KUBECONFIG": "/dev/null"},
        red=dict.fromkeys(("pods", "cron-jobs", "logs"), "was refused"),
        verdict="errored",
    ),
    Broken(
        name="API closed to the page's origin",
        kubectl=(("annotate", "ingress", "backend", f"{CORS}=https://elsewhere.example.com", "--overwrite"),),
        red={"browser": "from the page fails: TypeError: Failed to fetch"},
    ),
)
NOT_OF_A_CLUSTER = {
    "name of another machine": "what the name should lead to is told to the check, not to the cluster",
}
"""Variants of the bench that a cluster adds nothing to, each with the reason."""
BROKEN = (
    *IN_THE_CLUSTER,
    *(
        _as_on_the_bench(variant)
        for variant in VARIANTS
        if variant.name not in {broken.name for broken in IN_THE_CLUSTER} | NOT_OF_A_CLUSTER.keys()
    ),
)

GATE = (
    ("backend.env.ORKA_FAIL_DEGRADED", "db", "- database failed: field 'status' is \"degraded\""),
    ("backend.env.ORKA_FAIL_ERRORS", "1.0", "- create-event failed: answered 500"),
    ("backend.env.ORKA_FAIL_SLOW_MS", "1300.0", "- backend failed: took"),
    ("backend.env.ORKA_FAIL_DEGRADED", "redis", "- redis failed: field 'status' is \"degraded\""),
    ("redis.url", f"redis://{NOWHERE}", "- redis failed: field 'status' is \"degraded\""),
)
"""A setting, its value, and what `pulumi up` says. The first two are part of every run."""
