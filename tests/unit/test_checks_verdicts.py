"""From single results to the verdict on a release, and to what people are shown of it."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from model.check_surroundings import NotHere
from model.checks import ChecksFile
from ops.checks import report, verdicts
from ops.checks.chart import latencies, nice
from ops.checks.html import page
from ops.checks.junit import junit
from ops.checks.progress import Progress
from ops.checks.result import Exit, Verdict, exit_code
from tests.unit.made_checks import health_check, result_of, run_of


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((), "errored"),
        (("passed",), "passed"),
        (("passed", "inconclusive"), "inconclusive"),
        (("inconclusive", "errored"), "errored"),
        (("errored", "failed"), "failed"),
    ],
)
def test_the_worst_critical_verdict_is_that_of_the_run(found: tuple[Verdict, ...], verdict: Verdict) -> None:
    assert verdicts.overall(result_of(f"c{index}", one) for index, one in enumerate(found)) == verdict


@pytest.mark.parametrize("verdict", ["failed", "errored", "inconclusive"])
def test_each_red_critical_check_alone_turns_the_run(verdict: Verdict) -> None:
    assert verdicts.overall([result_of("a"), result_of("b", verdict), result_of("c")]) == verdict


def test_a_red_check_that_is_not_critical_degrades_and_no_more() -> None:
    checks = (result_of("redis"), result_of("openai", "failed", critical=False))
    assert verdicts.overall(checks) == "passed"
    assert verdicts.degraded(checks) == ("openai",)


def test_a_red_check_of_others_explains_what_depends_on_it_and_nothing_else() -> None:
    checks = (
        health_check("openai", critical=False),
        health_check("backend", excused_by=("openai",)),
        health_check("redis"),
    )
    red = [result_of("openai", "failed", critical=False), result_of("backend", "failed"), result_of("redis")]
    found = verdicts.excused(red, checks, {"backend"})
    assert [check.verdict for check in found] == ["failed", "inconclusive", "passed"]
    assert found[1].reason == "its <reason> (explained by openai)"
    assert verdicts.overall(found) == "passed"

    well = [result_of("openai", critical=False), result_of("backend", "failed"), result_of("redis")]
    assert verdicts.overall(verdicts.excused(well, checks, {"backend"})) == "failed"

    both = [*red[:2], result_of("redis", "failed")]
    assert verdicts.overall(verdicts.excused(both, checks, {"backend"})) == "failed"


def test_what_was_red_in_the_baseline_says_nothing_about_this_release() -> None:
    baseline = run_of(result_of("old", "failed"), result_of("new"))
    found = verdicts.compared(
        [result_of("old", "failed"), result_of("new", "failed"), result_of("more")], baseline
    )
    assert [(check.verdict, check.before) for check in found] == [
        ("inconclusive", "failed"), ("failed", "passed"), ("passed", None),
    ]  # fmt: skip
    assert found[0].reason == "its <reason> (was failed in the baseline too)"
    assert verdicts.overall(verdicts.compared([result_of("old", "failed")], baseline)) == "inconclusive"


def test_the_exit_codes_are_the_documented_ones() -> None:
    codes: dict[Verdict, int] = {"passed": 0, "failed": 1, "errored": 3, "inconclusive": 4}
    assert {verdict: exit_code(verdict) for verdict in codes} == codes
    assert Exit.USAGE == 2


def test_a_file_whose_critical_check_excuses_another_is_refused() -> None:
    with pytest.raises(ValueError, match="a critical check excuses no other: redis"):
        ChecksFile(
            release_id="r", health=(health_check("redis"), health_check("backend", excused_by=("redis",)))
        )


RUN = run_of(
    result_of("backend"),
    result_of("database", "failed"),
    result_of("redis", "errored"),
    result_of("openai", "failed", critical=False),
    not_run=(NotHere(name="pods", kind="pods", reason="kubectl is not on PATH"),),
)


def test_the_table_says_what_passed_what_did_not_and_what_was_not_asked() -> None:
    table = report.table(RUN)
    assert "  └ its <reason>" in table
    assert "failed (degraded)" in table
    assert "not run" in table
    assert "  └ kubectl is not on PATH" in table
    assert table.splitlines()[-1] == (
        "FAILED: 1 of 4 checks passed, release abc, 1.5 s, degraded: openai, 1 not run here"
    )


def test_the_termination_message_names_what_counts() -> None:
    cause = report.cause(RUN)
    assert "- database failed: its <reason> (http://database/)" in cause
    assert "git checkout PREVIOUS && pulumi refresh && pulumi up" in cause


def test_junit_fails_by_critical_checks_alone() -> None:
    suite = ET.fromstring(junit(RUN))  # noqa: S314 - made here
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    failure = suite.find("testcase[@name='database']/failure")
    assert failure is not None
    assert failure.get("message") == "failed: its <reason>"


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "onload")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_loads_nothing_and_escapes_what_strangers_said() -> None:
    found = _Page(page(RUN))
    assert found.open == []
    assert found.loads == []
    assert "its <reason>" in found.text
    assert "failed, degraded" in found.text
    assert "kubectl is not on PATH" in found.text
    assert "script" not in page(RUN)
    assert page(RUN).count("<circle") == 3 * 4


def test_a_page_that_loads_something_would_be_seen() -> None:
    assert _Page('<img src="http://elsewhere/">').loads == ["http://elsewhere/"]


def test_the_chart_fits_every_sample_into_its_scale() -> None:
    assert latencies([("a", ())]) == ""
    for most in (1, 7, 12, 999, 1000, 1001):
        assert most <= nice(most) <= 5 * most
    assert 'cx="730.0"' in latencies([("a", (100,))])


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_every_result_is_a_plain_line() -> None:
    stream = io.StringIO()
    with Progress(stream, ChecksFile(release_id="r", health=(health_check("backend"),))) as progress:
        progress.seen(result_of("backend", "failed"))
    assert stream.getvalue() == "backend  health  failed  12 ms: its <reason>\n"


def test_in_a_terminal_the_table_fills_up_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.checks.progress._lines", lambda _: 24)
    stream = _Terminal()
    checks = ChecksFile(release_id="r", health=(health_check("backend"), health_check("redis")))
    with Progress(stream, checks) as progress:
        progress.seen(result_of("redis"))
    text = stream.getvalue()
    assert text.startswith("backend  health  …")
    assert "\x1b[2Fbackend  health  …" in text
    assert "redis  health  passed  12 ms" in text
    assert text.endswith("\x1b[2F\x1b[J")
