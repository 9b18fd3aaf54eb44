"""The main job: the stack comes up, says so, and keeps the data it was given."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.twin.api import Api
from tests.twin.conftest import PATHS
from tests.twin.readme import commands

if TYPE_CHECKING:
    from tests.twin.stack import Stack

GUIDE_CURL = Path(__file__).with_name("guide_curl.sh")
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
    assert ready.count("frontend") == 2
    assert ready.count("prometheus") == 1
    cron_jobs = json.loads(deployed.kubectl("get", "cronjobs", "--output", "json"))["items"]
    assert {job["metadata"]["name"]: job["spec"]["schedule"] for job in cron_jobs} == GUIDE_CRON_JOBS


def test_the_outputs_are_the_documented_ones(deployed: Stack) -> None:
    outputs = deployed.outputs()
    assert set(outputs) == {
        "namespace", "release_id", "images", "api_url", "frontend_url", "health_urls", "cron_jobs",
        "dns_records", "verification",
    }  # fmt: skip
    assert outputs["namespace"] == "staging"
    assert re.fullmatch(r"[0-9a-f]{12}", outputs["release_id"])
    assert all("@sha256:" in image for image in outputs["images"].values())
    assert set(outputs["health_urls"]) == {"backend", "database", "redis", "openai", "frontend"}
    assert outputs["cron_jobs"] == GUIDE_CRON_JOBS


def test_a_second_up_and_a_preview_report_no_change(deployed: Stack) -> None:
    again = deployed.unchanged("up")
    assert again.code == 0, again
    preview = deployed.unchanged("preview")
    assert preview.code == 0, preview


def _guide_lines() -> list[tuple[str, str]]:
    """The guide's curl commands as they stand there, each with the comment lines before and after it."""
    blocks = GUIDE_CURL.read_text().strip().split("\n\n")
    return [(block, block.partition("# Expected: ")[2].strip()) for block in blocks]


def test_the_guides_curl_lines_work_word_for_word(deployed: Stack) -> None:
    token = Api(PATHS, 0).token
    asked = replace(deployed, environment={**deployed.environment, "TOKEN": token})
    lines = _guide_lines()
    assert len(lines) == 8
    for command, expected in lines:
        # -f after the fact: an answer that is an error would else be taken for one that is not.
        answer = asked.run("bash", "-c", f'curl() {{ command curl -sS --fail-with-body "$@"; }}\n{command}')
        assert answer.code == 0, (command, answer)
        document = json.loads(answer.output)
        if expected:
            shown = json.loads(expected)
            assert document.keys() == shown.keys(), (command, answer)
            assert document["status"] == shown["status"], (command, answer)


def test_the_page_of_the_frontend_is_served_with_everything_it_names(deployed: Stack) -> None:
    page = deployed.run("bash", "-c", "curl -sS --fail https://staging.orka-ppm.example.com/")
    assert "<html" in page.output
    assets = re.findall(r'(?:src|href)="(/[^"]+)"', page.output)
    assert assets
    for asset in assets:
        found = deployed.run("bash", "-c", f"curl -sS --fail https://staging.orka-ppm.example.com{asset}")
        assert found.code == 0, asset
    # One origin for the browser: the API answers below the frontend's host too.
    through = deployed.run(
        "bash",
        "-c",
        "curl -sS -o /dev/null -w '%{http_code}' https://staging.orka-ppm.example.com/api/audit/events",
    )
    assert through.output == "401", through


def test_the_readmes_commands_by_hand_work(deployed: Stack) -> None:
    by_hand = commands("Try it without any account", block=2)
    assert by_hand[0].startswith("eval ")
    assert by_hand[-1] == "make down"
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    typed = "set -e\n" + "\n".join(by_hand[:-1])
    done = replace(deployed, environment=bare).run("bash", "-c", typed)
    assert done.code == 0, done
    assert "healthy" in done.output


def test_closed_routes_are_not_reachable_from_outside(deployed: Stack) -> None:
    for path in ("/metrics", "/docs", "/redoc", "/openapi.json", "/debug"):
        answer = deployed.run(
            "bash",
            "-c",
            f"curl -sS -o /dev/null -w '%{{http_code}}' https://api-staging.orka-ppm.example.com{path}",
        )
        assert answer.output == "404", (path, answer)
