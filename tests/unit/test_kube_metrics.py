"""Series out of Kubernetes' documents, and that the exporter's silence is never good news."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from ops.kube_metrics import series
from ops.kube_metrics.api import KINDS, ApiServer
from ops.kube_metrics.command import serve
from ops.kube_metrics.exposition import text
from tests.answering import answer_json
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

META = {"namespace": "staging", "name": "one", "creationTimestamp": "1970-01-01T00:01:00Z"}
POD = {
    "metadata": META,
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "backend",
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled"}},
            }
        ],
    },
}
DEPLOYMENT = {
    "metadata": {**META, "annotations": {"orka-ppm/release": "0123456789ab"}},
    "spec": {"replicas": 2},
    "status": {"availableReplicas": 1, "conditions": [{"type": "Progressing", "status": "False"}]},
}
JOB = {
    "metadata": {**META, "ownerReferences": [{"kind": "CronJob", "name": "nightly"}]},
    "status": {
        "startTime": "1970-01-01T00:02:00Z",
        "active": 1,
        "conditions": [{"type": "Failed", "status": "True"}],
    },
}
CRON_JOB = {
    "metadata": META,
    "spec": {"schedule": "0 * * * *", "suspend": True},
    "status": {"lastScheduleTime": "1970-01-01T01:00:00Z"},
}
BUDGET = {"metadata": META, "status": {"currentHealthy": 1, "desiredHealthy": 2}}
QUOTA = {"metadata": META, "status": {"hard": {"limits.memory": "1Gi"}, "used": {"limits.memory": "512Mi"}}}
OBJECTS = dict(zip(KINDS, ([POD], [QUOTA], [DEPLOYMENT], [JOB], [CRON_JOB], [BUDGET]), strict=True))


def _found(items: Iterator[series.Series], name: str, **labels: str) -> list[float]:
    return [value for found, at, value in items if found == name and labels.items() <= at.items()]


@pytest.mark.parametrize(
    ("read", "item", "name", "labels", "value"),
    [
        (series.pods, POD, "kube_pod_status_phase", {"phase": "Running", "pod": "one"}, 1),
        (series.pods, POD, "kube_pod_status_phase", {"phase": "Pending"}, 0),
        (series.pods, POD, "kube_pod_container_status_restarts_total", {"container": "backend"}, 3),
        (series.pods, POD, "kube_pod_container_status_waiting_reason", {"reason": "CrashLoopBackOff"}, 1),
        (series.pods, POD, "kube_pod_container_status_waiting_reason", {"reason": "ErrImagePull"}, 0),
        (series.pods, POD, "kube_pod_container_status_last_terminated_reason", {"reason": "OOMKilled"}, 1),
        (series.deployments, DEPLOYMENT, "kube_deployment_spec_replicas", {"deployment": "one"}, 2),
        (series.deployments, DEPLOYMENT, "kube_deployment_status_replicas_available", {}, 1),
        (series.deployments, DEPLOYMENT, "kube_deployment_status_condition", {"status": "false"}, 1),
        (series.deployments, DEPLOYMENT, "kube_deployment_status_condition", {"status": "true"}, 0),
        (series.jobs, JOB, "kube_job_owner", {"owner_kind": "CronJob", "owner_name": "nightly"}, 1),
        (series.jobs, JOB, "kube_job_status_start_time", {"job_name": "one"}, 120),
        (series.jobs, JOB, "kube_job_status_active", {}, 1),
        (series.jobs, JOB, "kube_job_failed", {"condition": "true"}, 1),
        (series.jobs, {"metadata": META}, "kube_job_failed", {"condition": "true"}, 0),
        (series.jobs, {"metadata": META}, "kube_job_owner", {"owner_kind": "<none>"}, 1),
        (series.cron_jobs, CRON_JOB, "kube_cronjob_created", {"cronjob": "one"}, 60),
        (series.cron_jobs, CRON_JOB, "kube_cronjob_spec_suspend", {}, 1),
        (series.cron_jobs, CRON_JOB, "kube_cronjob_status_active", {}, 0),
        (series.cron_jobs, CRON_JOB, "kube_cronjob_status_last_schedule_time", {}, 3600),
        (series.disruption_budgets, BUDGET, "kube_poddisruptionbudget_status_current_healthy", {}, 1),
        (series.disruption_budgets, BUDGET, "kube_poddisruptionbudget_status_desired_healthy", {}, 2),
        (
            series.quotas,
            QUOTA,
            "kube_resourcequota",
            {"type": "used", "resource": "limits.memory"},
            512 * 2**20,
        ),
    ],
)
def test_a_document_becomes_a_series(
    read: Any, item: dict[str, Any], name: str, labels: dict[str, str], value: float
) -> None:
    assert _found(read([item]), name, namespace="staging", **labels) == [value]


def test_every_graph_can_show_the_release() -> None:
    assert _found(series.deployments([DEPLOYMENT]), "orka_release_info", release="0123456789ab") == [1]
    unmarked = {**DEPLOYMENT, "metadata": META}
    assert _found(series.deployments([unmarked]), "orka_release_info") == []


def test_a_job_that_never_succeeded_has_no_time_of_success() -> None:
    assert _found(series.cron_jobs([CRON_JOB]), "kube_cronjob_status_last_successful_time") == []


def test_every_series_of_the_cluster_that_a_rule_looks_at_is_served() -> None:
    served = {
        name for path, read in KINDS.items() for name, _, _ in read(OBJECTS[path])
    } | {"kube_cronjob_status_last_successful_time"}  # fmt: skip
    rules = yaml.safe_load((CHECKOUT / "manifests" / "alerts.yaml").read_text())["groups"]
    wanted = {
        name for group in rules for rule in group["rules"] for name in re.findall(r"kube_\w+", rule["expr"])
    }
    assert wanted
    assert wanted <= served


def test_labels_may_hold_anything() -> None:
    shown = text([("kube_x", {"reason": 'a "quoted"\n\\ line'}, 1.0)])
    assert 'kube_x{reason="a \\"quoted\\"\\n\\\\ line"} 1.0' in shown


@pytest.fixture
def api() -> Iterator[tuple[str, dict[str, Any]]]:
    """An API server that gives one object a page, and what it shall do."""
    state: dict[str, Any] = {"status": 200, "seen": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.removeprefix("/").partition("?")
            state["seen"].append(self.headers["authorization"])
            items = OBJECTS[path.replace("staging", "{}")]
            more = "continue" not in query
            metadata = {"continue": "next"} if more else {}
            answer_json(self, state["status"], {"items": items, "metadata": metadata})

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", state
    server.shutdown()


@pytest.fixture
def exporter(api: tuple[str, dict[str, Any]], tmp_path: Path) -> Iterator[str]:
    (tmp_path / "token").write_text("first\n")
    server = serve(ApiServer(api[0], "staging", tmp_path), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_all_pages_are_read_with_the_token_of_the_moment(
    api: tuple[str, dict[str, Any]], exporter: str, tmp_path: Path
) -> None:
    assert httpx.get(f"{exporter}/metrics").text.count("kube_cronjob_info{") == 2
    (tmp_path / "token").write_text("second")
    httpx.get(f"{exporter}/metrics")
    assert set(api[1]["seen"]) == {"Bearer first", "Bearer second"}


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_api_server_that_refuses_makes_the_target_fail_and_not_the_pod(
    api: tuple[str, dict[str, Any]], exporter: str, status: int
) -> None:
    api[1]["status"] = status
    assert httpx.get(f"{exporter}/metrics").status_code == 503
    assert httpx.get(f"{exporter}/").status_code == 200
