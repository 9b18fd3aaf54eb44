"""Broken releases on the twin as data: what is done to the cluster, and which checks must be red for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.checks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.checks.result import Verdict

NOWHERE = "127.0.0.1:9"
DEGRADED = "field 'status' is \"degraded\""
AWAY = {"openai": DEGRADED, "backend": "explained by openai", "semantic-search": "explained by openai"}
CORS = "nginx.ingress.kubernetes.io/cors-allow-origin"
PODS_DIE = ("delete", "pods", "--selector", "app.kubernetes.io/name=backend")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One way to break what runs.

    `env` goes into the Deployment `backend`; `kubectl` are further commands; `crashes` says that the check
    waits for pods that have begun anew; `user` is laid over the variables of `ops checks`; `normal` variants
    are part of every run, all of them of `--soak`.
    """

    name: str
    red: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    kubectl: tuple[tuple[str, ...], ...] = ()
    undo: tuple[tuple[str, ...], ...] = ()
    user: Mapping[str, str] = field(default_factory=dict)
    crashes: bool = False
    verdict: Verdict = "failed"
    normal: bool = False


def _as_on_the_bench(name: str) -> Broken:
    """A variant of the bench that is made by variables alone: the same checks are red in the cluster."""
    same = next(variant for variant in VARIANTS if variant.name == name)
    return Broken(
        name=name, env=same.backend or {}, user=same.user, red=same.red, verdict=same.verdict
    )  # fmt: skip


def _patch(name: str, **spec: object) -> tuple[str, ...]:
    return ("patch", "cronjob", name, "--patch", json.dumps({"spec": spec}))


def _say(line: str) -> tuple[str, ...]:
    return ("exec", "deployment/backend", "--", "sh", "-c", f"echo '{line}' > /proc/1/fd/1")


BROKEN = (
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
        name="crash after 20 s",
        env={"ORKA_FAIL_CRASH_AFTER_S": "20"},
        crashes=True,
        red={"pods": "exit code 70"},
        normal=True,
    ),
    Broken(
        name="traceback in the log",
        kubectl=(_say("Traceback (most recent call last):"),),
        undo=(PODS_DIE,),
        red={"logs": "the first: Traceback"},
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
        name="API closed to the page's origin",
        kubectl=(("annotate", "ingress", "backend", f"{CORS}=https://elsewhere.example.com", "--overwrite"),),
        red={"browser": "from the page fails: TypeError: Failed to fetch"},
    ),
    _as_on_the_bench("every answer an error"),
    _as_on_the_bench("nobody can sign in"),
    _as_on_the_bench("no browser"),
)

GATE = (
    ("backend.env.ORKA_FAIL_DEGRADED", "db", "- database failed: field 'status' is \"degraded\""),
    ("backend.env.ORKA_FAIL_ERRORS", "1.0", "- create-event failed: answered 500"),
    ("backend.env.ORKA_FAIL_SLOW_MS", "1300.0", "- backend failed: took"),
    ("backend.env.ORKA_FAIL_DEGRADED", "redis", "- redis failed: field 'status' is \"degraded\""),
    ("redis.url", f"redis://{NOWHERE}", "- redis failed: field 'status' is \"degraded\""),
)
"""A setting, its value, and what `pulumi up` says. The first two are part of every run."""
