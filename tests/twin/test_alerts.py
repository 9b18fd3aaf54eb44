"""Alerts on the real cluster: each fault is told to whom it concerns, as what it is, and its end too."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml

from model.alert_routes import TEST_ALERT
from tests.twin import alerts, broken_jobs, edge_errors
from tests.twin.api import HOST
from tests.twin.away import DATABASE, without
from tests.twin.conftest import PATHS
from tests.twin.rules_asked import (
    LEFT_OUT,
    MOST_ALERTS_LEFT_OUT,
    NOT_LOADED,
    OTHER_EDGES,
    alerts_of,
    expressions,
    left_out,
    selectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.twin.stack import Stack

WATCHED_S = 60
SETTLES_WITHIN_S = 450
"""A job that failed has its next turn within five minutes, and its alert goes on for half a minute more."""
HURRY = {
    "cron-jobs.embedding-generation.schedule": "*/1 * * * *",
    "cron-jobs.embedding-generation.deadline-seconds": "30",
    "monitoring.thresholds.cron-job-margin-seconds": "5",
}
OF_MISSED_TURNS = {"OrkaCronJobNeverRan", "OrkaCronJobLate"}
WITHOUT_SERIES: dict[str, str] = {}
"""Selectors that find nothing on a healthy twin, each with the reason."""


@pytest.fixture(scope="module")
def missed(deployed: Stack) -> set[str]:
    """What a twin that was down for hours says of turns that passed meanwhile; one that was not says nothing.

    That is true, and stands in every message until the next turn of each job, hours away.
    """
    return alerts.firing(deployed) & OF_MISSED_TURNS


@pytest.fixture(scope="module")
def firing(deployed: Stack, missed: set[str]) -> Callable[[], set[str]]:
    """What fires, without what was missed."""
    return lambda: alerts.firing(deployed) - missed


@pytest.fixture
def only(missed: set[str]) -> Callable[..., None]:
    """Demands that one alert alone was shown, and says whether it was to wake somebody."""

    def check(alert: str, *, paged: bool) -> None:
        assert alerts.shown("FIRING") - missed == {alert}
        assert alerts.pages("trigger") == ({alert} if paged else set())

    return check


@pytest.fixture(autouse=True)
def quiet(firing: Callable[[], set[str]]) -> Iterator[None]:
    """Nothing fires before a test, and what arrives is its own."""
    alerts.await_that("nothing fires", lambda: not firing(), SETTLES_WITHIN_S)
    alerts.forget()
    yield
    alerts.await_that("nothing fires any more", lambda: not firing(), SETTLES_WITHIN_S)


@pytest.fixture
def nowhere() -> Iterator[None]:
    """Requests may fail."""
    with edge_errors.nowhere():
        yield


def test_the_watchdog_arrives(deployed: Stack) -> None:
    assert deployed
    alerts.await_that("the watchdog", lambda: alerts.arrived("watchdog"))


def test_an_alert_on_demand_is_fired_arrives_everywhere_and_is_resolved(deployed: Stack) -> None:
    done = deployed.run(str(PATHS.checkout / ".venv" / "bin" / "ops"), "alerts", "test")
    assert done.code == 0, done
    told = [
        f"{channel}: {half} taken" for half in ("firing", "resolved") for channel in ("pagerduty", "slack")
    ]
    assert sorted(done.output.splitlines()) == sorted(told)
    assert alerts.pages("trigger") == alerts.pages("resolve") == {TEST_ALERT}
    assert alerts.shown("FIRING") == alerts.shown("RESOLVED") == {TEST_ALERT}


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
    edge_errors.requests(failing=4, seconds=WATCHED_S)
    assert firing() == set()
    assert alerts.pages("trigger") == set()

    def paged() -> bool:
        edge_errors.requests(failing=6, seconds=edge_errors.ROUND_S)
        return "OrkaErrorRateHigh" in alerts.pages("trigger")

    alerts.await_that("the page", paged)
    assert alerts.pages("trigger") == {"OrkaErrorRateHigh"}


@pytest.mark.usefixtures("nowhere")
def test_every_rule_finds_series(deployed: Stack) -> None:
    edge_errors.requests(failing=6, seconds=edge_errors.ROUND_S)
    items = yaml.safe_load(deployed.kubectl("get", "configmaps", "--output", "yaml"))["items"]
    text = next(item["data"]["rules.yaml"] for item in items if "rules.yaml" in item.get("data", {}))
    loaded = yaml.safe_load(text)["groups"]
    missed = left_out(loaded)
    assert set(missed) == {NOT_LOADED, *OTHER_EDGES, *LEFT_OUT}, "what the source has and nobody asks"
    asked = [rule["expr"] for group in loaded for rule in group["rules"]] + expressions(NOT_LOADED)
    wanted = {one for expression in asked for one in selectors(expression)}
    assert wanted > {"orka:edge_errors:ratio_3d"}

    def missing() -> set[str]:
        return {one for one in wanted if not alerts.series(deployed, one)}

    alerts.await_that("all have series", lambda: missing() <= set(WITHOUT_SERIES))
    nobody_asks = {alert for group in LEFT_OUT for alert in alerts_of(missed[group])}
    assert len(WITHOUT_SERIES) + len(nobody_asks) <= MOST_ALERTS_LEFT_OUT


@pytest.mark.soak("takes minutes")
@pytest.mark.parametrize(
    ("processes", "alert"), [(("redis",), "OrkaRedisDown"), (DATABASE, "OrkaDatabaseDown")]
)
def test_a_service_that_is_down_is_one_page(
    processes: tuple[str, ...], alert: str, only: Callable[..., None]
) -> None:
    """What fails for lack of it is explained by it, and told to nobody."""
    with without(*processes):
        alerts.await_that("the page", lambda: alert in alerts.pages("trigger"))
        time.sleep(WATCHED_S)
        only(alert, paged=True)
    alerts.await_that("its end", lambda: alert in alerts.pages("resolve"))


@pytest.mark.soak("takes minutes")
def test_a_certificate_with_ten_days_left_is_shown_and_pages_nobody(
    firing: Callable[[], set[str]], only: Callable[..., None]
) -> None:
    with alerts.certificate_that_ends_soon(HOST):
        # An hour is three minutes on the twin.
        alerts.await_that("the line", lambda: "OrkaCertificateExpiresSoon" in alerts.shown("FIRING"), 300)
        assert firing() == {"OrkaCertificateExpiresSoon"}
        only("OrkaCertificateExpiresSoon", paged=False)


@pytest.mark.soak("takes minutes")
def test_a_job_that_somebody_suspended_is_shown(
    deployed: Stack, firing: Callable[[], set[str]], only: Callable[..., None]
) -> None:
    broken_jobs.suspend(deployed, on=True)
    try:
        alerts.await_that("the line", lambda: "OrkaCronJobSuspended" in alerts.shown("FIRING"), 300)
        assert firing() == {"OrkaCronJobSuspended"}
        only("OrkaCronJobSuspended", paged=False)
    finally:
        broken_jobs.suspend(deployed, on=False)


@pytest.fixture
def hurried(stack: Stack, firing: Callable[[], set[str]]) -> Iterator[Stack]:
    """The stack with a job that has its turn every minute, and little time; afterwards it is made anew."""
    for key, value in HURRY.items():
        stack.set(f"orka-ppm:{key}", value)
    done = stack.up()
    assert done.code == 0, done
    # Until it has had a turn under the new rules it is late by them.
    begun = datetime.now(UTC)
    alerts.await_that("the job's turn", lambda: broken_jobs.succeeded_since(stack, begun))
    alerts.await_that("the job is in time", lambda: not firing())
    alerts.forget()
    yield stack
    # What was changed by hand is the hand's: `up` would refuse to take it back.
    stack.kubectl("delete", "cronjob", broken_jobs.JOB)
    again = stack.up("--refresh")
    assert again.code == 0, again


@pytest.mark.soak("takes minutes")
@pytest.mark.parametrize(
    ("broken", "alert"),
    [(broken_jobs.fail, "OrkaCronJobFailing"), (broken_jobs.never_run, "OrkaCronJobNeverRan")],
)
def test_a_job_that_fails_and_one_that_never_ran_are_told_apart(
    hurried: Stack, broken: Callable[[Stack], None], alert: str, only: Callable[..., None]
) -> None:
    broken(hurried)
    alerts.await_that("the line", lambda: alert in alerts.shown("FIRING"), 300)
    # Long enough for two turns more: what failed once is not told again as something else.
    time.sleep(2 * WATCHED_S)
    only(alert, paged=False)
