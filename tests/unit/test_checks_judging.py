"""The pure judges: well with a healthy document, and red with the reason for every way to break it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.check_kinds import JsonAssertion
from model.check_surroundings import CronJobsCheck, PodsCheck
from ops.checks import page, workloads
from ops.checks.address import address_fault, days_fault
from ops.checks.judge import Answer, reason_against
from ops.checks.latency import against_targets, percentile
from ops.checks.rows import row_fault
from ops.checks.sanitise import plain
from tests.checks import documents as k8s
from tests.unit.made_checks import LOGS, health_check

if TYPE_CHECKING:
    from collections.abc import Callable

PODS = PodsCheck(name="pods", namespace="staging", images=k8s.IMAGES)
JOBS = CronJobsCheck(name="cron-jobs", namespace="staging", schedules=k8s.SCHEDULES)


def _pods_fault(change: Callable[[k8s.Namespace], None]) -> str | None:
    namespace = k8s.healthy()
    change(namespace)
    fault = workloads.pods_fault(PODS, namespace["items"], datetime.now(UTC))
    return fault.reason if fault else None


def _jobs_fault(change: Callable[[k8s.Namespace], None]) -> str | None:
    namespace = k8s.healthy()
    change(namespace)
    return workloads.cron_jobs_fault(JOBS, namespace["items"])


def test_a_healthy_namespace_has_no_fault() -> None:
    assert _pods_fault(lambda _: None) is None
    assert _jobs_fault(lambda _: None) is None
    assert workloads.log_fault(LOGS, k8s.LOGS) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (k8s.crash_loop, "pod backend-7d4b9c-0 does not run: CrashLoopBackOff"),
        (k8s.restarted, "pod backend-7d4b9c-0 restarted 1 time, last after Error, exit code 70"),
        (
            k8s.stale_pod,
            "runs orka-ppm-backend@sha256:aaaaaaaaaaaa, the release is orka-ppm-backend@sha256:bbb",
        ),
        (lambda n: k8s.without(n, "Pod", "backend-"), "backend has 1 ready pod, expected 2"),
        (lambda n: k8s.without(n, "Deployment", "frontend"), "there is no Deployment frontend"),
    ],
)
def test_a_broken_pod_is_named_with_what_is_wrong(
    change: Callable[[k8s.Namespace], None], reason: str
) -> None:
    assert reason in (_pods_fault(change) or "")


def test_a_restart_of_long_ago_and_a_pod_on_its_way_out_are_no_faults() -> None:
    def old(namespace: k8s.Namespace) -> None:
        k8s.restarted(namespace)
        state = k8s.one(namespace, "Pod", "backend-")["status"]["containerStatuses"][0]
        state["lastState"]["terminated"]["finishedAt"] = k8s.stamp(7_200)
        leaving = k8s.one(k8s.healthy(), "Pod", "backend-")
        leaving["metadata"] |= {"name": "backend-old", "deletionTimestamp": k8s.stamp()}
        namespace["items"].append(leaving)

    assert _pods_fault(old) is None


def test_a_pod_that_was_evicted_is_no_fault_where_another_stands_in_for_it() -> None:
    def not_replaced(namespace: k8s.Namespace) -> None:
        k8s.evicted(namespace)
        k8s.without(namespace, "Pod", "backend-7d4b9c-1")

    assert _pods_fault(k8s.evicted) is None
    assert _pods_fault(not_replaced) == "backend has 1 ready pod, expected 2"


def _rescheduled(namespace: k8s.Namespace) -> None:
    k8s.one(namespace, "CronJob", "model-training-job")["spec"]["schedule"] = "0 0 * * 1"


def _stale_job(namespace: k8s.Namespace) -> None:
    namespace["items"].append({"kind": "CronJob", "metadata": {"name": "old-job"}, "spec": {}})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (k8s.suspended, "anomaly-detection-job is suspended"),
        (k8s.failed_run, "the last run of embedding-generation-job failed: BackoffLimitExceeded"),
        (_rescheduled, "model-training-job runs at 0 0 * * 1, expected 0 0 * * 0"),
        (_stale_job, "old-job is a cron job that this release does not have"),
        (
            lambda n: k8s.without(n, "CronJob", "scheduled-reports-job"),
            "there is no cron job scheduled-reports-job",
        ),
    ],
)
def test_a_broken_cron_job_is_named_with_what_is_wrong(
    change: Callable[[k8s.Namespace], None], reason: str
) -> None:
    assert reason in (_jobs_fault(change) or "")


def test_a_job_that_the_settings_suspend_has_to_rest_and_no_last_run_of_it_is_judged() -> None:
    name = "embedding-generation-job"
    resting = JOBS.model_copy(update={"suspended": (name,)})
    namespace = k8s.healthy()
    k8s.failed_run(namespace)
    fault = workloads.cron_jobs_fault(resting, namespace["items"])
    assert fault == f"{name} is not suspended, though the settings say so"
    k8s.one(namespace, "CronJob", name)["spec"]["suspend"] = True
    assert workloads.cron_jobs_fault(resting, namespace["items"]) is None
    k8s.suspended(namespace)
    fault = workloads.cron_jobs_fault(resting, namespace["items"])
    assert fault == "anomaly-detection-job is suspended"


@pytest.mark.parametrize(
    ("zone", "told"), [("Europe/Zurich", "Europe/Zurich"), (None, "the controller's own")]
)
def test_a_cron_job_of_another_time_zone_is_a_fault_where_the_stack_says_which(
    zone: str | None, told: str
) -> None:
    namespace = k8s.healthy()
    zoned = JOBS.model_copy(update={"time_zone": "Etc/UTC"})
    for name in k8s.SCHEDULES:
        k8s.one(namespace, "CronJob", name)["spec"]["timeZone"] = "Etc/UTC"
    assert workloads.cron_jobs_fault(zoned, namespace["items"]) is None
    k8s.one(namespace, "CronJob", "model-training-job")["spec"]["timeZone"] = zone
    assert workloads.cron_jobs_fault(zoned, namespace["items"]) == (
        f"model-training-job runs by the time zone {told}, expected Etc/UTC"
    )
    assert workloads.cron_jobs_fault(JOBS, namespace["items"]) is None


def test_a_run_that_failed_before_one_that_went_well_is_forgotten() -> None:
    def both(namespace: k8s.Namespace) -> None:
        k8s.failed_run(namespace)
        k8s.next_run()(namespace)

    assert _jobs_fault(both) is None


def test_a_run_that_has_just_begun_does_not_hide_the_one_that_failed_before_it() -> None:
    def runs(namespace: k8s.Namespace) -> None:
        k8s.failed_run(namespace)
        k8s.next_run({"active": 1})(namespace)

    assert "failed: BackoffLimitExceeded (embedding-generation-job-29481)" in (_jobs_fault(runs) or "")


def test_a_fault_that_stays_is_named_before_one_that_may_pass() -> None:
    def both(namespace: k8s.Namespace) -> None:
        k8s.starting(namespace)
        k8s.one(namespace, "Pod", "frontend-")["spec"]["containers"][0]["image"] = k8s.OLD_IMAGE

    assert _pods_fault(k8s.starting) == "pod backend-7d4b9c-0 does not run: ContainerCreating"
    assert "runs orka-ppm-backend@sha256:aaa" in (_pods_fault(both) or "")


def test_a_fault_in_a_log_is_found_counted_and_shown_without_its_secrets() -> None:
    text = "INFO fine\nERROR no answer from postgresql://app:hunter2@db/ with password=hunter3\nERROR again\n"
    reason = workloads.log_fault(LOGS, {"backend": text})
    assert reason is not None
    assert reason.startswith(
        "2 lines of backend are faults, the first: ERROR no answer from postgresql***db/"
    )
    assert "hunter" not in reason


def test_noise_that_is_known_is_no_fault() -> None:
    check = LOGS.model_copy(update={"allowed": (r"ERROR the cache is cold",)})
    assert workloads.log_fault(check, {"backend": "ERROR the cache is cold\n"}) is None
    assert workloads.log_fault(check, {"backend": "ERROR the disk is full\n"}) is not None


def test_of_a_page_its_own_assets_are_loaded_and_no_others() -> None:
    html = (
        '<link rel="stylesheet" href="/a.css"><link rel="canonical" href="/page"><img src="b.png">'
        '<script src="/c.js"></script><script src="https://cdn.example.com/d.js"></script>'
    )
    assert page.assets("http://own/x/", html) == ("http://own/a.css", "http://own/x/b.png", "http://own/c.js")


@pytest.mark.parametrize(
    ("url", "content_type", "well"),
    [
        ("http://x/app.js", "text/javascript; charset=utf-8", True),
        ("http://x/app.js?v=1", "application/javascript", True),
        ("http://x/app.js", "text/html", False),
        ("http://x/a.css", "", False),
        ("http://x/unknown.bin", "text/html", True),
    ],
)
def test_html_in_place_of_an_asset_is_seen(url: str, content_type: str, well: bool) -> None:
    assert (page.type_fault(url, content_type) is None) == well


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('fetch("https://api.example.com/x")', {"api.example.com"}),
        (r'{"u":"https:\/\/escaped.example.com\/"}', {"escaped.example.com"}),
        ("wss://Live.Supabase.CO:443/x", {"live.supabase.co"}),
        ("`http://${host}/`", set()),
        ("no address at all", set()),
        ('dsn:"https://abc123@o1.ingest.sentry.io/42"', {"o1.ingest.sentry.io"}),
        ("`https://${key}@o1.ingest.sentry.io/42`", {"o1.ingest.sentry.io"}),
        ("'https://unpkg.com/x@1.2.3/y.js'", {"unpkg.com"}),
        (r'{"u":"https:\u002F\u002Fescaped.example.com\u002Fx"}', {"escaped.example.com"}),
        (r'"https\x3a\x2f\x2fkey\x40escaped.example.com"', {"escaped.example.com"}),
        (r'"{\"u\":\"https:\\u002f\\u002ftwice.example.com\"}"', {"twice.example.com"}),
        ("/_next/image?url=https%3A%2F%2Fcdn.example.com%2Fa.png", {"cdn.example.com"}),
        ("<a href='https:&#x2F;&#47;page.example.com'>", {"page.example.com"}),
        (r"/^https:\/\/api\.example\.com\//.test(u)", {"api.example.com"}),
        (r"/^https?:\/\/(www\.)?/.test(u)", set()),
        ("HTTPS://API.example.com", {"api.example.com"}),
        ("http://[2001:DB8::1]:8000/ http://[::1]/", {"2001:db8::1", "::1"}),
        ("/http://[a-f]/", set()),
        ("https://xn--bcher-kva.example/ https://b\u00fccher.example/", {"xn--bcher-kva.example"}),
        ("https://live.supabase.co./x, see https://react.dev.", {"live.supabase.co", "react.dev"}),
        ('"http://localhost:3000" "http://my_backend:8000"', {"localhost", "my_backend"}),
        ('new URL(u,"http://n"),new URL("https://\u0442\u0435\u0441\u0442")', set()),
        ("`https://o${id}.ingest.example.com/`", set()),
        ('a.src="//cdn.example.com/x.js"', {"cdn.example.com"}),
        ("a.src='//key@cdn.example.com:8443/x'", {"cdn.example.com"}),
        (r'"\/\/cdn.example.com\/x"', {"cdn.example.com"}),
        ("<script src=//cdn.example.com></script>", {"cdn.example.com"}),
        ("src:url( //fonts.example.com/f.woff2)", {"fonts.example.com"}),
        ('"//192.0.2.7:8080/x"', {"192.0.2.7"}),
        ("x=1//www.example.com/x\n// www.example.com\ny=//www.example.com/", set()),
        ('"//"+h+"//*[@id]"+"//# sourceMappingURL=a.js.map"+"//app.js"+"//path/a.b"', set()),
        ('xmlns="http://www.w3.org/2000/svg" url(%22http://www.w3.org/1999/xlink%22)', {"www.w3.org"}),
    ],
)
def test_hosts_are_found_in_scripts_however_they_are_written(text: str, found: set[str]) -> None:
    assert page.hosts(text) == found


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(samples: list[int], share: int) -> None:
    found = percentile(samples, share)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= share * len(samples) / 100
    assert sum(sample < found for sample in samples) < share * len(samples) / 100


def test_targets_are_missed_by_name() -> None:
    samples = [10] * 18 + [300, 400]
    assert against_targets(samples, 100, 200) == "p95 is 300 ms, the target is 200 ms"
    assert against_targets(samples, 100, 300) is None
    assert against_targets([150], 100, 200) == "p50 is 150 ms, the target is 100 ms"


def test_a_certificate_that_ends_soon_is_a_fault_of_so_many_days() -> None:
    day = 86_400
    assert days_fault(30 * day, 0, 14) is None
    assert days_fault(10 * day, 0, 14) == "the certificate ends in 10.0 days, expected at least 14"


def test_a_name_leads_to_the_expected_addresses_alone_however_they_are_written() -> None:
    assert address_fault(["192.0.2.7"], ["192.0.2.7", "192.0.2.8"]) is None
    assert address_fault(["2001:db8::7"], ["2001:DB8:0::7"]) is None
    assert address_fault(["192.0.2.9"], []) is None
    found = address_fault(["192.0.2.7", "198.51.100.1"], ["192.0.2.7"])
    assert found == "resolves to 198.51.100.1, which is not among the expected"


def test_a_row_is_compared_column_by_column() -> None:
    assert row_fault({"hash": "a", "more": 1}, {"hash": "a"}) is None
    assert row_fault({"hash": "b"}, {"hash": "a"}) == 'column hash is "b", expected "a"'
    assert row_fault(None, {"hash": "a"}) == "there is no such row"


@pytest.mark.parametrize(
    ("assertion", "reason"),
    [
        ({"holds": {"id": 1}}, None),
        ({"holds": {"id": 3}}, "none of the 2 in 'events' has {\"id\": 3}"),
        ({"lacks": {"id": 3}}, None),
        ({"lacks": {"id": 1}}, "one in 'events' has {\"id\": 1}, which none may have"),
        ({"each": {"tenant": "a"}}, '1 of the 2 in \'events\' lack {"tenant": "a"}'),
        ({"each": {}}, None),
    ],
)
def test_lists_are_judged_by_what_is_in_them(
    assertion: dict[str, dict[str, object]], reason: str | None
) -> None:
    check = health_check("list", assertions=(JsonAssertion(field="events", **assertion),))
    body = b'{"events": [{"id": 1, "tenant": "a"}, {"id": 2, "tenant": "b"}]}'
    assert reason_against(check, Answer(200, body, 1)) == reason


@given(st.text())
def test_what_is_shown_is_one_line_that_no_terminal_obeys(text: str) -> None:
    shown = plain(text, 50)
    assert len(shown) <= 51
    assert shown.isprintable()
