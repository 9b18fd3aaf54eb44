"""`ops checks` asks nothing while pods come or go, and waits for none that is stuck."""

from __future__ import annotations

import copy
import io
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from model.check_surroundings import PodsCheck
from ops import cli
from ops.checks import runner, settling
from ops.cluster import kubectl
from tests.checks import documents as k8s
from tests.unit.made_checks import result_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHECK = PodsCheck(name="pods", namespace=k8s.NAMESPACE, images=k8s.IMAGES)
HEALTH = {"name": "backend", "url": "http://backend/health"}
WAITS = "ops checks: waits up to 45 s for 1 pod that comes or goes: backend-old\n"


def _pod(name: str, *, state: str = "ready", **metadata: str) -> k8s.Namespace:
    namespace = k8s.healthy()
    pod: dict[str, Any] = copy.deepcopy(k8s.one(namespace, "Pod", "backend-"))
    pod["metadata"] |= {"name": name, **metadata}
    container = pod["status"]["containerStatuses"][0]
    if state != "ready":
        container["ready"] = False
        container["state"] = {"running": {}} if state == "runs" else {"waiting": {"reason": state}}
    namespace["items"].append(pod)
    return namespace


def _old(left_s: float) -> k8s.Namespace:
    """A pod that was told to end, and has this long to do so."""
    return _pod("backend-old", deletionTimestamp=k8s.stamp(-left_s))


def _new(state: str, age_s: float) -> k8s.Namespace:
    return _pod("backend-new", state=state, creationTimestamp=k8s.stamp(age_s))


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (k8s.healthy, []),
        (lambda: _old(left_s=30), ["backend-old"]),
        (lambda: _old(left_s=-60), []),
        (lambda: _new("ContainerCreating", 3), ["backend-new"]),
        (lambda: _new("runs", 3), ["backend-new"]),
        (lambda: _new("runs", 90), []),
        (lambda: _new("ready", 3), []),
        (lambda: _new("CrashLoopBackOff", 3), []),
        (lambda: _new("ImagePullBackOff", 3), []),
    ],
    ids=[
        "healthy", "told to end", "stuck", "starts", "is not ready yet", "is not ready for long", "is ready",
        "crashes", "has no image",
    ],
)  # fmt: skip
def test_a_pod_comes_or_goes_while_it_has_the_time_for_it(
    made: Callable[[], k8s.Namespace], found: list[str]
) -> None:
    assert settling.moving(made()["items"], k8s.IMAGES, datetime.now(UTC)) == found


def test_a_pod_of_something_else_or_one_that_was_evicted_is_not_waited_for() -> None:
    namespace = _old(left_s=30)
    assert settling.moving(namespace["items"], {"frontend": ""}, datetime.now(UTC)) == []
    k8s.one(namespace, "Pod", "backend-old")["status"]["phase"] = "Failed"
    assert settling.moving(namespace["items"], k8s.IMAGES, datetime.now(UTC)) == []


class Clock:
    """Time that passes by sleeping alone, and what kubectl shows at each look; the last stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: k8s.Namespace | kubectl.KubectlError) -> None:
        self.now, self.looks = 0.0, list(looks)
        monkeypatch.setattr(settling.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(settling.time, "sleep", self._sleep)
        monkeypatch.setattr(kubectl, "items", self._items)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _items(self, *_: object, **__: object) -> list[Any]:
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, kubectl.KubectlError):
            raise found
        return list(found["items"])


def test_it_goes_on_once_the_pod_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch, _old(30), _old(30), k8s.healthy()), io.StringIO()
    settling.until_settled(CHECK, None, said)
    assert said.getvalue() == WAITS
    assert clock.now == 2 * settling.LOOK_S


def test_the_wait_has_an_end_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch, _old(3_600)), io.StringIO()
    settling.until_settled(CHECK, None, said)
    assert said.getvalue() == (
        f"{WAITS}ops checks: does not wait any longer for 1 pod that comes or goes: backend-old\n"
    )
    assert clock.now == pytest.approx(settling.WAIT_S, abs=settling.LOOK_S)


def test_without_an_answer_of_kubectl_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch, _old(30), kubectl.KubectlError("no answer")), io.StringIO()
    settling.until_settled(CHECK, None, said)
    assert clock.now == settling.LOOK_S


@pytest.mark.parametrize(
    ("arguments", "waits"),
    [
        ((), True),
        (("--only", "health"), True),
        (("--only", "pods"), False),
        (("--without", "pods"), False),
    ],
    ids=["all", "health alone", "pods alone", "without pods"],
)
def test_what_pods_answer_is_asked_after_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], *, waits: bool
) -> None:
    order: list[str] = []
    _note(monkeypatch, order)
    k8s.write_kubectl(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    file = tmp_path / "checks.json"
    pods = CHECK.model_dump(mode="json")
    file.write_text(json.dumps({"release_id": "r", "health": [HEALTH], "pods": [pods]}))
    assert cli.main(["checks", "--from-file", str(file), *arguments]) == 0
    assert order == (["waited", "asked"] if waits else ["asked"])


def _note(monkeypatch: pytest.MonkeyPatch, order: list[str]) -> None:
    def noting(what: str, gives: object) -> Callable[..., object]:
        def call(*_: object, **__: object) -> object:
            order.append(what)
            return gives

        return call

    monkeypatch.setattr(settling, "until_settled", noting("waited", None))
    monkeypatch.setattr(runner, "run", noting("asked", run_of(result_of("backend"))))
