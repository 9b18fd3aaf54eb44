"""Redis or PostgreSQL that says nothing is reported as away while Prometheus listens: by real programs."""

from __future__ import annotations

import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from model.scrape import LONGEST_ANSWER_S
from tests.checks.ports import await_port, free_port
from tests.unit.harness import SECRETS, complete, manifests, run_program
from twin import debian_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """The manifests of the committed settings."""
    return manifests(run_program(complete(), SECRETS))


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who listens, and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def _running(folder: Path, exporter: str, manifests: dict[str, Any], silent: str) -> Iterator[str]:
    """The exporter as it is shipped, pointed at who is silent; gives its address."""
    [container] = manifests[f"deployment-{exporter}"]["spec"]["template"]["spec"]["containers"]
    [mount] = [one["mountPath"] for one in container["volumeMounts"] if one["name"] == "secrets"]
    env = {one["name"]: one["value"].replace(mount, str(folder)) for one in container["env"]}
    for name, text in manifests[f"secret-{exporter}"]["stringData"].items():
        # Of the database's address the host alone is another: what follows it is what is tried here.
        elsewhere = f"{silent}/{text.partition('/')[2]}" if name == "address" else text
        (folder / name).write_text(elsewhere)
    if "REDIS_ADDR" in env:
        env["REDIS_ADDR"] = f"{urlsplit(env['REDIS_ADDR']).scheme}://{silent}"
    port = free_port()
    program = str(debian_tools.program(f"prometheus-{exporter}"))
    process = subprocess.Popen([program, f"--web.listen-address=127.0.0.1:{port}"], env=env)
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("exporter", "series"), [("redis-exporter", "redis_up"), ("postgres-exporter", "pg_up")]
)
def test_what_is_silent_is_down_and_not_unknown(
    tmp_path: Path, shipped: dict[str, Any], silent: str, exporter: str, series: str
) -> None:
    with _running(tmp_path, exporter, shipped, silent) as address:
        answer = httpx.get(address, timeout=LONGEST_ANSWER_S)
    assert f"\n{series} 0\n" in answer.text
