"""Alerts on the real cluster: each fault is told to whom it concerns, as what it is, and its end too."""

from __future__ import annotations

import re
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.twin import alerts
from tests.twin.api import HOST
from tests.twin.away import without
from tests.twin.conftest import PATHS
from tests.twin.load import Edge
from tests.twin.machine import apply, kubectl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.twin.stack import Stack

NOWHERE = "/api/nowhere-of-a-test"
UNAVAILABLE = 503
WATCHED_S = 60
SETTLES_WITHIN_S = 400
"""A job that failed has its next turn within five minutes."""
# The requests of one round; a round takes two seconds.
ROUND, ROUND_S = 100, 2.0
JOB = "embedding-generation-job"
OF_MISSED_TURNS = {"OrkaCronJobNeverRan", "OrkaCronJobLate"}
WITHOUT_SERIES: dict[str, str] = {}
"""Selectors that find nothing on a healthy twin, each with the reason."""


@pytest.fixture(scope="module")
def firing(deployed: Stack) -> Callable[[], set[str]]:
    """What fires, without what a twin that was down for hours says of turns that passed meanwhile.

    That is true, and stays so until the next turn of each job, an hour away or more.
    """
    missed = alerts.firing(deployed) & OF_MISSED_TURNS
    return lambda: alerts.firing(deployed) - missed


@pytest.fixture(autouse=True)
def quiet(firing: Callable[[], set[str]]) -> Iterator[None]:
    """Nothing fires before a test, and what arrives is its own."""
    alerts.await_that("nothing fires", lambda: not firing(), SETTLES_WITHIN_S)
    alerts.forget()
    yield
    alerts.await_that("nothing fires any more", lambda: not firing(), SETTLES_WITHIN_S)


@pytest.fixture
def nowhere() -> Iterator[None]:
    """A path of the API's host that leads to no Service: the edge answers 503."""
    backend = {"service": {"name": "nowhere", "port": {"number": 80}}}
    path = {"path": NOWHERE, "pathType": "Prefix", "backend": backend}
    apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "nowhere", "namespace": "staging"},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": HOST, "http": {"paths": [path]}}]},
        }
    )
    alerts.await_that("the edge knows it", lambda: _status(NOWHERE) == UNAVAILABLE)
    yield
    kubectl("--namespace", "staging", "delete", "ingress", "nowhere")


def _status(path: str) -> int:
    """The status; 0 where the twin's edge, which is being told of an Ingress, closes the connection."""
    connection = Edge(HOST, context=ssl.create_default_context(cafile=str(PATHS.ca)), timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()


def _requests(failing: int, seconds: float) -> None:
    """So many of a hundred requests fail, spread evenly."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        begun = time.monotonic()
        for number in range(ROUND):
            bad = number * failing // ROUND != (number + 1) * failing // ROUND
            path, wanted = (NOWHERE, UNAVAILABLE) if bad else ("/health/redis", 200)
            assert _status(path) == wanted
        time.sleep(max(0.0, ROUND_S - (time.monotonic() - begun)))


def test_the_watchdog_arrives(deployed: Stack) -> None:
    assert deployed
    alerts.await_that("the watchdog", lambda: alerts.arrived("watchdog"))


def test_a_backend_that_is_degraded_with_200_pages_and_its_end_arrives(
    firing: Callable[[], set[str]],
) -> None:
    """Without OpenAI the backend says `degraded`, with code 200."""
    with without("standin-openai"):
        alerts.await_that("the page", lambda: "OrkaHealthFailing" in alerts.pages("trigger"))
        alerts.await_that("the line in Slack", lambda: "OrkaHealthFailing" in alerts.shown("FIRING"))
        # A job may have its turn meanwhile, and cannot do without OpenAI either.
        allowed = {"OrkaHealthFailing", "OrkaOpenAIUnavailable", "OrkaCronJobFailing"}
        assert firing() <= allowed
    alerts.await_that("the end of the page", lambda: "OrkaHealthFailing" in alerts.pages("resolve"))
    alerts.await_that("the end in Slack", lambda: "OrkaHealthFailing" in alerts.shown("RESOLVED"))


@pytest.mark.usefixtures("nowhere")
def test_four_percent_errors_page_nobody_and_six_do(firing: Callable[[], set[str]]) -> None:
    _requests(failing=4, seconds=WATCHED_S)
    assert firing() == set()
    assert alerts.pages("trigger") == set()
    _requests(failing=6, seconds=WATCHED_S)
    alerts.await_that("the page", lambda: "OrkaErrorRateHigh" in alerts.pages("trigger"))
    assert alerts.pages("trigger") == {"OrkaErrorRateHigh"}


@pytest.mark.usefixtures("nowhere")
def test_every_rule_finds_series(deployed: Stack) -> None:
    _requests(failing=6, seconds=ROUND_S)
    items = yaml.safe_load(deployed.kubectl("get", "configmaps", "--output", "yaml"))["items"]
    text = next(item["data"]["rules.yaml"] for item in items if "rules.yaml" in item.get("data", {}))
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    wanted = {one for rule in rules for one in selectors(rule["expr"])}
    assert wanted

    def missing() -> set[str]:
        return {one for one in wanted if not alerts.series(deployed, one)}

    alerts.await_that("all have series", lambda: missing() <= set(WITHOUT_SERIES))
    assert len(WITHOUT_SERIES) <= 3


def selectors(expression: str) -> set[str]:
    """The series that an expression of ours asks for, with their labels: all our names have `_` or `:`."""
    plain = re.sub(r"(?:by|on|ignoring|group_left)\s*\([^)]*\)", " ", expression)
    # No function, whose name a bracket follows.
    return set(re.findall(r'(?<![\w"])(?:up|[a-z][a-z0-9]*[_:][a-z0-9_:]+)\b(?!\s*\()(?:\{[^}]*\})?', plain))


@pytest.mark.soak("takes minutes")
@pytest.mark.parametrize(("process", "alert"), [("redis", "OrkaRedisDown"), ("postgres", "OrkaDatabaseDown")])
def test_a_service_that_is_down_is_one_page(deployed: Stack, process: str, alert: str) -> None:
    assert deployed
    with without(process):
        alerts.await_that("the page", lambda: alert in alerts.pages("trigger"))
        time.sleep(WATCHED_S)
        assert alerts.pages("trigger") == {alert}
    alerts.await_that("its end", lambda: alert in alerts.pages("resolve"))


@pytest.mark.soak("takes minutes")
def test_a_certificate_with_ten_days_left_is_shown_and_pages_nobody(firing: Callable[[], set[str]]) -> None:
    with alerts.certificate_that_ends_soon(HOST):
        # An hour is three minutes on the twin.
        alerts.await_that("the line", lambda: "OrkaCertificateExpiresSoon" in alerts.shown("FIRING"), 300)
        assert firing() == {"OrkaCertificateExpiresSoon"}
        assert alerts.pages("trigger") == set()


def _patched(stack: Stack, patch: str) -> None:
    stack.kubectl("patch", "cronjob", JOB, "--type", "merge", "--patch", patch)


@pytest.mark.soak("takes minutes")
def test_a_job_that_somebody_suspended_is_shown(deployed: Stack, firing: Callable[[], set[str]]) -> None:
    _patched(deployed, '{"spec": {"suspend": true}}')
    try:
        alerts.await_that("the line", lambda: "OrkaCronJobSuspended" in alerts.shown("FIRING"), 300)
        assert firing() == {"OrkaCronJobSuspended"}
    finally:
        _patched(deployed, '{"spec": {"suspend": false}}')


@pytest.mark.soak("takes minutes")
@pytest.mark.parametrize(
    ("deadline", "margin", "schedule", "alert"),
    [
        (30, 5, "*/1 * * * *", "OrkaCronJobFailing"),
        # The rules know the settings' schedule; by hand it is given one that does not come.
        (30, 5, "0 0 1 1 *", "OrkaCronJobNeverRan"),
    ],
)
def test_a_job_that_fails_and_one_that_never_ran_are_told_apart(
    stack: Stack, deadline: int, margin: int, schedule: str, alert: str
) -> None:
    stack.set("orka-ppm:cron-jobs.embedding-generation.schedule", "*/1 * * * *")
    stack.set("orka-ppm:cron-jobs.embedding-generation.deadline-seconds", str(deadline))
    stack.set("orka-ppm:monitoring.thresholds.cron-job-margin-seconds", str(margin))
    stack.kubectl("delete", "cronjob", JOB)
    done = stack.up("--refresh")
    assert done.code == 0, done
    broken: dict[str, Any] = {"schedule": schedule}
    if alert == "OrkaCronJobFailing":
        container = {"name": "job", "args": ["python", "-c", "raise SystemExit(1)"]}
        broken["jobTemplate"] = {"spec": {"template": {"spec": {"containers": [container]}}}}
    stack.kubectl("patch", "cronjob", JOB, "--type", "strategic", "--patch", yaml.safe_dump({"spec": broken}))
    alerts.await_that("the line", lambda: alert in alerts.shown("FIRING"), 300)
    assert not {"OrkaCronJobFailing", "OrkaCronJobNeverRan"} & alerts.shown("FIRING") - {alert}
