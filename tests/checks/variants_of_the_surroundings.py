"""Releases whose page, address or cluster is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.checks import breaking
from tests.checks import documents as k8s
from tests.checks.variant import Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.checks import ChecksFile


def _other_address(checks: ChecksFile) -> ChecksFile:
    dns = tuple(
        check.model_copy(update={"addresses": ("192.0.2.1",)}) if check.name == "dns-api" else check
        for check in checks.dns
    )
    return checks.model_copy(update={"dns": dns})


def _edit(kind: str, name: str, **spec: Any) -> Callable[[k8s.Namespace], None]:
    return lambda namespace: k8s.one(namespace, kind, name)["spec"].update(spec)


def _log(text: str) -> Callable[[k8s.Namespace], None]:
    def change(namespace: k8s.Namespace) -> None:
        namespace["logs"]["backend"] += text

    return change


def _before(text: str) -> Callable[[k8s.Namespace], None]:
    return lambda namespace: namespace["previous"].update({"backend-7d4b9c-0": text})


def _unfit_certificate(reason: str) -> dict[str, str]:
    asking = dict.fromkeys(("frontend", "frontend-assets", "bundle-hosts"), "cannot connect")
    return {"tls-frontend": f"the certificate is refused: {reason}", **asking}


VARIANTS = (
    Variant(
        name="missing chunk",
        page=breaking.missing_chunk,
        red=dict.fromkeys(("frontend-assets", "bundle-hosts", "browser"), "/app.js answered 404"),
    ),
    Variant(
        name="frontend not available",
        web=breaking.answers("/", 503, b"no healthy upstream", "text/plain"),
        red={
            "frontend": "answered 503, expected 200",
            **dict.fromkeys(("frontend-assets", "bundle-hosts"), "the page answered 503"),
            "browser": "/ answered 503",
        },
    ),
    Variant(
        name="a page in place of a script",
        web=breaking.answers("/app.js", 200, b"<html></html>", "text/html"),
        red={
            "frontend-assets": "/app.js is text/html, expected javascript",
            "browser": "the console says: Failed to load module script",
        },
    ),
    Variant(
        name="error on the console",
        page=breaking.console_error,
        red={"browser": "the console says: hydration failed"},
    ),
    Variant(
        name="error that nobody caught",
        page=breaking.uncaught_error,
        red={"browser": "an error that nobody caught says: Cannot read properties of undefined"},
    ),
    Variant(
        name="missing chunk that is loaded late",
        page=breaking.missing_late_chunk,
        red={"browser": "/late.js answered 404"},
    ),
    Variant(
        name="foreign host asked",
        page=breaking.asks_a_foreign_host,
        red={"browser": "the page asks a foreign host: live.supabase.co"},
    ),
    Variant(
        name="the page's own call fails",
        page=breaking.calls_what_fails,
        red={"browser": "/api/audit/nothing answered 404"},
    ),
    Variant(
        name="API closed to the page's origin",
        api=lambda _: breaking.other_origins_only(),
        red={"browser": "from the page fails: TypeError: Failed to fetch"},
    ),
    Variant(
        name="no browser",
        user={"ORKA_CHROMIUM": "/nowhere/chromium"},
        red={"browser": "ORKA_CHROMIUM names no program: install it (Debian: apt-get install chromium)"},
        verdict="errored",
    ),
    Variant(
        name="foreign host in the bundle",
        page=breaking.foreign_host,
        red={"bundle-hosts": "/app.js names a foreign host: live.supabase.co"},
    ),
    Variant(
        name="another page at the address",
        page=breaking.other_page,
        red={"frontend": "the body does not contain '<html'", "frontend-assets": "the page names no assets"},
    ),
    Variant(
        name="expired certificate", certificate="expired", red=_unfit_certificate("certificate has expired")
    ),
    Variant(
        name="certificate of another name", certificate="other", red=_unfit_certificate("Hostname mismatch")
    ),
    Variant(
        name="certificate of an unknown authority",
        certificate="unknown",
        red=_unfit_certificate("unable to get local issuer certificate"),
    ),
    Variant(
        name="certificate about to expire",
        certificate="soon",
        red={"tls-frontend": "the certificate ends in 4.9 days, expected at least 14"},
    ),
    Variant(
        name="name of another machine",
        checks=_other_address,
        red={"dns-api": "which is not among the expected"},
    ),
    Variant(
        name="crash some time after the start",
        cluster=(k8s.restarted,),
        red={"pods": "restarted 1 time, last after Error, exit code 70"},
    ),
    Variant(name="crash loop", cluster=(k8s.crash_loop,), red={"pods": "does not run: CrashLoopBackOff"}),
    Variant(
        name="stale pod of an old digest", cluster=(k8s.stale_pod,), red={"pods": "@sha256:aaaaaaaaaaaa"}
    ),
    Variant(
        name="a pod too few",
        cluster=(lambda namespace: k8s.without(namespace, "Pod", "backend-"),),
        red={"pods": "backend has 1 ready pod, expected 2"},
    ),
    Variant(
        name="suspended job",
        cluster=(k8s.suspended,),
        red={"cron-jobs": "anomaly-detection-job is suspended"},
    ),
    Variant(
        name="failed job",
        cluster=(k8s.failed_run,),
        red={"cron-jobs": "the last run of embedding-generation-job failed: BackoffLimitExceeded"},
    ),
    Variant(
        name="job at another time",
        cluster=(_edit("CronJob", "scheduled-reports-job", schedule="0 7 * * *"),),
        red={"cron-jobs": "scheduled-reports-job runs at 0 7 * * *, expected 0 6 * * *"},
    ),
    Variant(
        name="missing job",
        cluster=(lambda namespace: k8s.without(namespace, "CronJob", "model-training-job"),),
        red={"cron-jobs": "there is no cron job model-training-job"},
    ),
    Variant(
        name="traceback in the log",
        cluster=(_log("Traceback (most recent call last):\n"),),
        red={"logs": "1 line of backend is a fault: Traceback"},
    ),
    Variant(
        name="traceback at the end of a long log",
        cluster=(_log("INFO of no interest\n" * 120_000), _log("Traceback (most recent call last):\n")),
        red={"logs": "1 line of backend is a fault: Traceback"},
    ),
    Variant(
        name="traceback of a crash",
        cluster=(k8s.restarted, _before("Traceback (most recent call last):\n")),
        red={
            "pods": "restarted 1 time, last after Error, exit code 70",
            "logs": "1 line of backend is a fault: Traceback",
        },
    ),
    Variant(
        name="critical line in the log",
        cluster=(_log("CRITICAL no disk for token=abcdef\n"),),
        red={"logs": "CRITICAL no disk for token=***"},
    ),
    Variant(
        name="cluster not reached",
        cluster=(lambda namespace: namespace.update(refuses="connection refused"),),
        red=dict.fromkeys(("pods", "cron-jobs", "logs"), "failed: error: connection refused"),
        verdict="errored",
    ),
)
