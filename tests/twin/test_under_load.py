"""Pods that go away, services that are away and what rolls the pods, under a fixed load through the edge."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.twin.api import HOST, Api
from tests.twin.away import DATABASE, without
from tests.twin.conftest import PATHS, rotate_service_key
from tests.twin.load import Load

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.twin.stack import Stack

AWAY_S = 20
RECOVERY_S = 60
EVICTION_TRIES = 60
EVENTS = "/api/audit/events?limit=1"
AWAY = {"redis": ("redis",), "the database": DATABASE}


def _load(path: str = EVENTS) -> Load:
    return Load(HOST, path, PATHS.ca, token=Api(PATHS, 0).token)


def _pods(stack: Stack, component: str) -> list[dict[str, Any]]:
    """Those that are to stay: one that was told to end still serves out its grace period."""
    chosen = f"app.kubernetes.io/name={component}"
    found = json.loads(stack.kubectl("get", "pods", "-l", chosen, "--output", "json"))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def _restarts(stack: Stack, component: str) -> dict[str, int]:
    """Restarts by pod: a new pod or a restarted container would both show."""
    return {
        pod["metadata"]["name"]: sum(one["restartCount"] for one in pod["status"]["containerStatuses"])
        for pod in _pods(stack, component)
    }


def _evict(stack: Stack, pod: str) -> None:
    """By the eviction API, as a drained node does; refused while another one is away, so tried again."""
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": "staging"},
    }
    path = f"/api/v1/namespaces/staging/pods/{pod}/eviction"
    for _ in range(EVICTION_TRIES):
        done = stack.run("kubectl", "create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
        if done.code == 0:
            return
        assert "disruption budget" in done.output, done
        time.sleep(1)
    raise AssertionError(f"{pod} was never allowed to go")


def _settled(stack: Stack, component: str) -> None:
    stack.kubectl("rollout", "status", f"deployment/{component}", "--timeout=90s")


@pytest.mark.parametrize("component", ["backend", "frontend"])
def test_a_deleted_pod_and_every_evicted_one_cost_no_request(deployed: Stack, component: str) -> None:
    before = _restarts(deployed, component)
    with _load() as load:
        deployed.kubectl("delete", "pod", next(iter(before)), "--wait=false")
        _settled(deployed, component)
        for pod in _restarts(deployed, component):
            _evict(deployed, pod)
        _settled(deployed, component)
    assert load.answers.total() > 20
    assert load.failures == {}, load.answers
    assert not before.keys() & _restarts(deployed, component).keys(), "every pod is a new one"


def _change_a_setting(stack: Stack) -> None:
    stack.set("orka-ppm:backend.log-level", "DEBUG")


@pytest.mark.soak("one more rollout")
@pytest.mark.parametrize("change", [rotate_service_key, _change_a_setting])
def test_a_rotated_secret_and_a_changed_setting_reach_every_pod_without_a_failed_request(
    stack: Stack, change: Callable[[Stack], object]
) -> None:
    before = _restarts(stack, "backend")
    change(stack)
    with _load() as load:
        up = stack.up()
    assert up.code == 0, up
    assert load.answers.total() > 20
    assert load.failures == {}, load.answers
    assert not before.keys() & _restarts(stack, "backend").keys(), "every pod is a new one"


@pytest.mark.soak("takes minutes")
@pytest.mark.parametrize("what", AWAY)
def test_away_for_20_seconds_and_back_the_api_recovers_by_itself_and_nothing_is_restarted(
    deployed: Stack, what: str
) -> None:
    before = _restarts(deployed, "backend")
    with _load() as during, without(*AWAY[what]):
        time.sleep(AWAY_S)
    # One at a time, and each waits for the database as long as the backend does.
    assert during.answers.total() > 3
    if what == "redis":
        assert during.failures == {}, "a cache that is away costs no request"
    else:
        assert {status for status, _ in during.failures} <= {500, 503}, "an error, and the edge has a backend"
    api, deadline = Api(PATHS, 0), time.monotonic() + RECOVERY_S
    while api.call("GET", "/health")[1]["status"] != "healthy":
        assert time.monotonic() < deadline, api.call("GET", "/health")
        time.sleep(1)
    with _load() as after:
        api.post_event()
        time.sleep(2)
    assert after.failures == {}, after.answers
    assert _restarts(deployed, "backend") == before
