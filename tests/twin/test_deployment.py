"""The main job: the stack comes up, says so, and keeps the data it was given."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.twin.stack import Stack

GUIDE_CRON_JOBS = {
    "anomaly-detection-job": "0 * * * *",
    "embedding-generation-job": "*/5 * * * *",
    "model-training-job": "0 0 * * 0",
    "scheduled-reports-job": "0 6 * * *",
}


def test_two_backend_pods_the_frontend_and_four_cron_jobs_run(deployed: Stack) -> None:
    pods = json.loads(deployed.kubectl("get", "pods", "--output", "json"))["items"]
    ready = [
        pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for pod in pods
        if pod["status"]["phase"] == "Running"
        and all(container["ready"] for container in pod["status"]["containerStatuses"])
    ]
    assert ready.count("backend") == 2
    assert ready.count("frontend") == 1
    assert ready.count("prometheus") == 1
    cron_jobs = json.loads(deployed.kubectl("get", "cronjobs", "--output", "json"))["items"]
    assert {job["metadata"]["name"]: job["spec"]["schedule"] for job in cron_jobs} == GUIDE_CRON_JOBS


def test_the_outputs_are_the_documented_ones(deployed: Stack) -> None:
    outputs = deployed.outputs()
    assert set(outputs) == {
        "namespace", "release_id", "images", "api_url", "frontend_url", "health_urls", "cron_jobs",
    }  # fmt: skip
    assert outputs["namespace"] == "staging"
    assert re.fullmatch(r"[0-9a-f]{12}", outputs["release_id"])
    assert all("@sha256:" in image for image in outputs["images"].values())
    assert set(outputs["health_urls"]) == {"backend", "database", "redis", "openai", "frontend"}
    assert outputs["cron_jobs"] == GUIDE_CRON_JOBS


def test_a_second_up_and_a_preview_report_no_change(deployed: Stack) -> None:
    again = deployed.up("--expect-no-changes")
    assert again.code == 0, again
    preview = deployed.preview("--expect-no-changes")
    assert preview.code == 0, preview


def test_the_guides_curl_lines_work_word_for_word(deployed: Stack) -> None:
    for path in ("/health", "/health/db", "/health/redis", "/health/openai"):
        answer = deployed.run("bash", "-c", f"curl -sS https://api-staging.orka-ppm.example.com{path}")
        assert json.loads(answer.output)["status"] == "healthy", answer
    page = deployed.run("bash", "-c", "curl -sS https://staging.orka-ppm.example.com/")
    assert "<html" in page.output


def test_closed_routes_are_not_reachable_from_outside(deployed: Stack) -> None:
    for path in ("/metrics", "/docs", "/redoc", "/openapi.json", "/debug"):
        answer = deployed.run(
            "bash",
            "-c",
            f"curl -sS -o /dev/null -w '%{{http_code}}' https://api-staging.orka-ppm.example.com{path}",
        )
        assert answer.output == "404", (path, answer)
