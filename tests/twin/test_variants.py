"""Each broken release turns exactly its checks red, from the shell and in the gate; a healthy one none."""

from __future__ import annotations

import json
import multiprocessing
import time
from typing import TYPE_CHECKING, Any

import redis as redis_client

from tests.twin.conftest import PATHS
from tests.twin.variants import BROKEN, GATE, Broken
from twin import redis, secrets
from twin.deploy import check_user
from twin.paths import BRIDGE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.twin.stack import Stack

ROLLOUT_S = 120
CRASH_S = 90
WHOLE_RUN_S = 30
RUNS, RUNS_OF_SOAK = 3, 20
BY_CIRCUMSTANCE = {"api-latency", "embeddings-current"}
"""They depend on how busy the machine is and on what tests before left, and fail no release by themselves."""


def _checks(stack: Stack) -> dict[str, Any]:
    _forget_embeddings()
    run = stack.run("bash", "-c", ".venv/bin/ops checks --json 2>/dev/null")
    found: dict[str, Any] = json.loads(run.output)
    return found


def _as_user(stack: Stack, more: Mapping[str, str] | None = None) -> Stack:
    return type(stack)(stack.folder, {**stack.environment, **check_user(PATHS), **(more or {})})


def _forget_embeddings() -> None:
    """The search must ask OpenAI, and not remember what a run before was told."""
    known = redis_client.Redis(
        host=BRIDGE_ADDRESS, port=redis.PORT, password=secrets.of(PATHS).redis_password
    )
    known.flushall()
    known.close()


def _settled(stack: Stack) -> None:
    stack.kubectl("rollout", "status", "deployment/backend", f"--timeout={ROLLOUT_S}s")


def _wait_for_crashes(stack: Stack) -> None:
    """Both pods have begun anew and are ready again."""
    ends = time.monotonic() + CRASH_S
    while True:
        pods = json.loads(
            stack.kubectl("get", "pods", "--selector", "app.kubernetes.io/name=backend", "--output", "json")
        )["items"]
        states = [state for pod in pods for state in pod["status"].get("containerStatuses", [])]
        if states and all(state["ready"] and state["restartCount"] for state in states):
            return
        assert time.monotonic() < ends, states
        time.sleep(0.5)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some of each matrix in every run, all of them under `--soak`."""
    soak = metafunc.config.getoption("--soak")
    if "broken" in metafunc.fixturenames:
        some = [broken for broken in BROKEN if soak or broken.normal]
        metafunc.parametrize("broken", some, ids=[broken.name for broken in some])
    if "setting" in metafunc.fixturenames:
        metafunc.parametrize(("setting", "value", "reason"), GATE if soak else GATE[:2])


def test_a_broken_release_turns_exactly_its_checks_red(stack: Stack, broken: Broken) -> None:
    asker = _as_user(stack, broken.user)
    for command in broken.kubectl:
        stack.kubectl(*command)
    if broken.env:
        stack.kubectl("set", "env", "deployment/backend", *(f"{k}={v}" for k, v in broken.env.items()))
        _settled(stack)
    if broken.crashes:
        _wait_for_crashes(stack)
    try:
        found = _checks(asker)
    finally:
        for command in broken.undo:
            stack.kubectl(*command)
        if broken.env:
            # Not by an `up`: a variable that was added by hand is nobody's drift.
            stack.kubectl("rollout", "undo", "deployment/backend")
        _settled(stack)
    red = {check["name"]: check["reason"] for check in found["checks"] if check["verdict"] != "passed"}
    assert sorted(red.keys() - (BY_CIRCUMSTANCE - broken.red.keys())) == sorted(broken.red), red
    for name, part in broken.red.items():
        assert part in red[name], (name, red[name])
    assert found["verdict"] == broken.verdict


def test_the_gate_fails_the_up_with_the_reason_and_the_next_one_passes(
    stack: Stack, setting: str, value: str, reason: str
) -> None:
    good = PATHS.stack_file.read_text()
    stack.set(f"orka-ppm:{setting}", value)
    failed = stack.up()
    assert failed.code != 0
    assert reason in failed.output, failed
    PATHS.stack_file.write_text(good)
    healed = stack.up()
    assert healed.code == 0, healed


def _burn(ends: float) -> None:
    while time.monotonic() < ends:
        pass


def test_a_healthy_release_is_never_red_while_the_machine_is_busy(
    deployed: Stack, request: pytest.FixtureRequest
) -> None:
    runs = RUNS_OF_SOAK if request.config.getoption("--soak") else RUNS
    asker = _as_user(deployed)
    for _ in range(runs):
        busy = [multiprocessing.Process(target=_burn, args=(time.monotonic() + 60,)) for _ in range(2)]
        for process in busy:
            process.start()
        try:
            found = _checks(asker)
        finally:
            for process in busy:
                process.terminate()
                process.join()
        assert found["verdict"] == "passed", found


def test_a_whole_run_on_the_healthy_twin_takes_half_a_minute_at_most(deployed: Stack) -> None:
    started = time.monotonic()
    found = _checks(_as_user(deployed))
    took = time.monotonic() - started
    print(f"ops checks: {took:.1f} s, {len(found['checks'])} checks")
    assert found["verdict"] == "passed", found
    assert "browser" in {check["name"] for check in found["checks"]}
    assert took <= WHOLE_RUN_S
