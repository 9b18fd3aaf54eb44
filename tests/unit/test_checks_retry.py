"""What is dropped once, or is not ready yet, turns no check red; a wrong answer does, at once."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from model.check_kinds import Check, LatencyCheck
from model.check_surroundings import AssetsCheck, BundleCheck, DnsCheck, PodsCheck, RowCheck, TlsCheck
from model.checks import ChecksFile
from ops.checks import rows, runner
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials, GivenToken
from ops.cluster import kubectl
from tests.checks import documents as k8s
from twin.secrets import mint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.checks.result import CheckResult

PAGE = "http://own/"
ASSETS = AssetsCheck(name="one", url=PAGE)
BUNDLE = BundleCheck(name="one", url=PAGE, hosts=("own",))
LATENCY = LatencyCheck(name="one", url=f"{PAGE}app.js", samples=3, p50_ms=10_000, p95_ms=10_000)
TLS = TlsCheck(name="one", host="api.example.com")
DNS = DnsCheck(name="one", host="api.example.com")
PODS = PodsCheck(name="one", namespace="staging", images=k8s.IMAGES)
ROW = RowCheck(name="one", query="SELECT 1 AS found", expect={"found": 1})
CREDENTIALS = Credentials(
    checker=GivenToken(mint("a-secret-of-thirty-two-characters", {"sub": "u"})), database_url="postgresql://x"
)


class Once:
    """Fails `times` times, then gives what it was made with; counts how often it was asked."""

    def __init__(self, error: Exception, gives: Any, times: int = 1) -> None:
        self.error, self.gives, self.times, self.asked = error, gives, times, 0

    def __call__(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        if self.asked <= self.times:
            raise self.error
        return self.gives

    async def awaited(self, *_: Any, **__: Any) -> Any:
        return self()


class Writer:
    """The end of a handshake with a certificate that is good for a year."""

    def __init__(self) -> None:
        self.transport = self

    def get_extra_info(self, _: str) -> dict[str, str]:
        return {"notAfter": time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(time.time() + 31_536_000))}

    def abort(self) -> None:
        pass


def _run(check: Check, *, attempts: int = 3, deadline: float = 60) -> CheckResult:
    keys = {
        TlsCheck: "tls", DnsCheck: "dns", AssetsCheck: "assets", BundleCheck: "bundle", PodsCheck: "pods",
        LatencyCheck: "latency",
    }  # fmt: skip
    key = keys.get(type(check), "database")
    means = Means(
        credentials=CREDENTIALS, rules=(), context=ssl.create_default_context(),
        limits=Limits(timeout=5, pause=0, attempts=attempts, deadline=deadline),
    )  # fmt: skip
    return runner.run(ChecksFile.model_validate({"release_id": "r", key: (check,)}), means).checks[0]


def _served(monkeypatch: pytest.MonkeyPatch, dropped: str, times: int = 1, status: int = 200) -> list[str]:
    """A page and its script; connections to the path `dropped` break `times` times. What was asked."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == dropped and asked.count(dropped) <= times:
            raise httpx.ReadError("connection reset by peer")
        html = request.url.path == "/"
        return httpx.Response(
            200 if html else status,
            stream=httpx.ByteStream(b'<html><script src="/app.js">' if html else b"1"),
            headers={"content-type": "text/html" if html else "text/javascript"},
        )

    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    return asked


@pytest.mark.parametrize(
    ("check", "dropped"), [(ASSETS, "/"), (ASSETS, "/app.js"), (BUNDLE, "/"), (LATENCY, "/app.js")]
)
def test_a_request_that_was_dropped_once_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, check: Check, dropped: str
) -> None:
    _served(monkeypatch, dropped)
    assert _run(check).verdict == "passed"


def test_a_connection_that_stays_broken_is_red_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _served(monkeypatch, "/app.js", times=99)
    found = _run(ASSETS)
    assert (found.verdict, found.reason) == (
        "failed", "/app.js: no answer: ReadError: connection reset by peer",
    )  # fmt: skip
    assert asked.count("/app.js") == 2


def test_hosts_in_a_script_that_never_came_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    _served(monkeypatch, "/app.js", times=99)
    found = _run(BUNDLE)
    assert (found.verdict, found.reason) == (
        "errored", "/app.js: no answer: ReadError: connection reset by peer",
    )  # fmt: skip


@pytest.mark.parametrize("check", [ASSETS, BUNDLE, LATENCY])
def test_a_wrong_answer_is_red_at_once(monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    asked = _served(monkeypatch, "", status=500)
    assert _run(check).verdict == "failed"
    assert asked.count("/app.js") == 1


def _tls(monkeypatch: pytest.MonkeyPatch, once: Once) -> None:
    monkeypatch.setattr(asyncio, "open_connection", once.awaited)


def _dns(monkeypatch: pytest.MonkeyPatch, once: Once) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", once)


def _row(monkeypatch: pytest.MonkeyPatch, once: Once) -> None:
    monkeypatch.setattr(rows, "_fetch", once.awaited)


HANDSHAKE = (None, Writer())
ADDRESSES = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]
REFUSED = ssl.SSLCertVerificationError(1, "x")
REFUSED.verify_message = "certificate has expired"


@pytest.mark.parametrize(
    ("check", "broken", "once"),
    [
        (TLS, _tls, Once(ConnectionResetError("reset"), HANDSHAKE)),
        (TLS, _tls, Once(ConnectionResetError("reset"), HANDSHAKE, times=2)),
        (DNS, _dns, Once(socket.gaierror(socket.EAI_AGAIN, "try again"), ADDRESSES)),
        (ROW, _row, Once(psycopg.OperationalError("server closed the connection"), {"found": 1})),
    ],
)
def test_what_gave_no_answer_is_asked_again_and_says_how_often(
    monkeypatch: pytest.MonkeyPatch, check: Check, broken: Callable[..., None], once: Once
) -> None:
    broken(monkeypatch, once)
    found = _run(check)
    assert (found.verdict, found.attempts) == ("passed", once.times + 1)


def _documents(*changes: Callable[[k8s.Namespace], None]) -> list[Any]:
    namespace = k8s.healthy()
    for change in changes:
        change(namespace)
    return list(namespace["items"])


def _looked_at(monkeypatch: pytest.MonkeyPatch, *looks: Any) -> CheckResult:
    """The check of the pods, over a cluster that is so at each look, and stays as it is at the last one."""
    left = list(looks)

    def items(*_: Any, **__: Any) -> Any:
        look = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(look, Exception):
            raise look
        return look

    monkeypatch.setattr(kubectl, "items", items)
    return _run(PODS)


REFUSES = kubectl.KubectlError("kubectl get failed: connection refused")


@pytest.mark.parametrize(
    "before", [REFUSES, _documents(k8s.starting), _documents(lambda n: k8s.without(n, "Pod", "backend-"))]
)
def test_a_cluster_that_is_not_ready_yet_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, before: Any
) -> None:
    found = _looked_at(monkeypatch, before, before, _documents())
    assert (found.verdict, found.attempts) == ("passed", 3)
    assert _looked_at(monkeypatch, before).verdict in ("failed", "errored")


@pytest.mark.parametrize("change", [k8s.crash_loop, k8s.stale_pod, k8s.restarted])
def test_a_pod_that_is_broken_is_red_at_once(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[k8s.Namespace], None]
) -> None:
    found = _looked_at(monkeypatch, _documents(change), _documents())
    assert (found.verdict, found.attempts) == ("failed", 1)


@pytest.mark.parametrize(
    ("check", "broken", "once", "verdict"),
    [
        (TLS, _tls, Once(REFUSED, HANDSHAKE), "failed"),
        (DNS, _dns, Once(socket.gaierror(socket.EAI_NONAME, "not known"), ADDRESSES), "failed"),
        (ROW, _row, Once(psycopg.errors.UndefinedTable("gone"), {"found": 1}), "errored"),
        (ROW, _row, Once(ValueError("of the check itself"), {"found": 1}), "errored"),
    ],
)
def test_a_verdict_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, check: Check, broken: Callable[..., None], once: Once, verdict: str
) -> None:
    broken(monkeypatch, once)
    assert _run(check).verdict == verdict
    assert once.asked == 1


@pytest.mark.parametrize("bounds", [{"attempts": 1}, {"deadline": 4.0}])
def test_without_an_attempt_or_the_time_for_one_the_first_answer_stands(
    monkeypatch: pytest.MonkeyPatch, bounds: dict[str, Any]
) -> None:
    once = Once(ConnectionResetError("reset"), HANDSHAKE)
    _tls(monkeypatch, once)
    assert (_run(TLS, **bounds).verdict, once.asked) == ("errored", 1)
