"""A page or an answer that means harm ends as a plain reason of one check, in little memory."""

from __future__ import annotations

import ssl
import time
import tracemalloc
from typing import TYPE_CHECKING

import httpx
import pytest

from model.check_kinds import FunctionalCall
from model.check_surroundings import AssetsCheck, BundleCheck
from model.checks import ChecksFile
from ops.checks import page as named
from ops.checks import runner, token
from ops.checks.session import Limits, Means
from tests.unit.made_checks import health_check

if TYPE_CHECKING:
    from ops.checks.result import RunResult

MEGABYTE = 1_048_576
PAGE = "http://own/"
ASSETS = AssetsCheck(name="assets", url=PAGE)
BUNDLE = BundleCheck(name="bundle", url=PAGE, hosts=("own",))


def _run(
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    asset: bytes,
    credentials: token.Credentials | None = None,
) -> RunResult:
    def answer(request: httpx.Request) -> httpx.Response:
        body = page.encode() if request.url.path == "/" else asset
        return httpx.Response(200, stream=httpx.ByteStream(bytes(bytearray(body))))

    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    checks = ChecksFile(release_id="r", health=(health_check("own"),), assets=(ASSETS,), bundle=(BUNDLE,))
    if credentials:
        checks = checks.model_copy(update={"functional": (FunctionalCall(name="as-somebody", url=PAGE),)})
    means = Means(
        credentials=credentials or token.Credentials(), limits=Limits(pause=0, attempts=1), rules=(),
        context=ssl.create_default_context(),
    )  # fmt: skip
    return runner.run(checks, means)


def test_an_answer_that_breaks_a_check_ends_that_check_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(monkeypatch, '<img src="http://[">', b"")
    found = {check.name: (check.verdict, check.reason) for check in run.checks}
    broken = ("errored", "the check itself failed on what it got: ValueError")
    assert found == {"own": ("passed", None), "assets": broken, "bundle": broken}


def test_a_key_that_no_header_can_hold_ends_the_login_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = token.PasswordGrant("http://own", "k\u00e9y", "a@example.com", "x")
    run = _run(monkeypatch, '<img src="/a.png">', b"", token.Credentials(checker=grant))
    reasons = {check.name: check.reason for check in run.checks}
    assert reasons["authentication"] == "the check itself failed on what it got: UnicodeEncodeError"
    assert reasons["as-somebody"] == "there is no token to call with"
    assert reasons["own"] is None


def test_assets_are_judged_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "".join(f'<img src="/{number}.png">' for number in range(64))
    tracemalloc.start()
    try:
        run = _run(monkeypatch, page, bytes(MEGABYTE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(run.checks[1].samples) == 64
    assert peak < 48 * MEGABYTE, f"{peak} bytes"


@pytest.mark.parametrize(("count", "verdict"), [(200, "passed"), (201, "failed")])
def test_a_page_that_names_more_than_is_looked_at_is_red(
    monkeypatch: pytest.MonkeyPatch, count: int, verdict: str
) -> None:
    page = "".join(f'<img src="/{number}.bin">' for number in range(count))
    said = "the page names 201 assets, and no more than 200 are looked at"
    for check in _run(monkeypatch, page, b"").checks[1:]:
        assert (check.verdict, check.reason) == (verdict, None if verdict == "passed" else said)


def test_a_host_that_was_found_is_the_news_whatever_else_was_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = '<img src="/a.svg"> https://elsewhere.example.com/'
    assets, bundle = _run(monkeypatch, page, bytes(5 * MEGABYTE)).checks[1:]
    assert assets.reason == "/a.svg: the answer is longer than 4194304 bytes"
    assert (bundle.verdict, bundle.reason) == ("failed", "/ names a foreign host: elsewhere.example.com")


def test_a_path_of_megabytes_and_what_a_terminal_obeys_stay_out_of_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = f'<img src="/\x1b[2J{"x" * MEGABYTE}.js"> http://{"y" * MEGABYTE}/'
    reasons = [check.reason for check in _run(monkeypatch, page, b"").checks[1:]]
    assert len(reasons) == 2
    for reason in reasons:
        assert reason is not None
        assert reason.isprintable()
        assert len(reason) < 500


@pytest.mark.parametrize(
    "piece",
    ["\\", "\\x2f", "https://", "https://a", "a@", "@", "a.", '"//', "url( ", "-", "[:", "\u00fc", "\u00fc."],
)
@pytest.mark.parametrize("begin", ["", "https://", '"//', "url(", "https://["])
def test_a_script_is_searched_for_hosts_in_one_go_whatever_stands_in_it(begin: str, piece: str) -> None:
    text = begin + piece * (MEGABYTE // 8)
    begun = time.process_time()
    named.hosts(text)
    # Once through takes a fraction of a second, once for each character minutes.
    assert time.process_time() - begun < 10
