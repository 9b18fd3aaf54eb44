"""What a browser saw is judged by its cause, and Chromium is told where connections are led."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model.check_surroundings import BrowserCheck
from ops.checks.browsed import Seen, fault, is_foreign, led
from ops.checks.browser import NoBrowserError, found
from ops.checks.connection import ConnectTo

if TYPE_CHECKING:
    from pathlib import Path

PAGE, API = "https://www.example.com/", "https://api.example.com/api/audit/events"
HOSTS = ("www.example.com", "api.example.com")
CHECK = BrowserCheck(name="browser", url=PAGE, api=API, hosts=HOSTS)


def _seen(**other: object) -> Seen:
    return Seen(**{"answers": [(PAGE, 200)], "called": 200, **other})


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (_seen(), None),
        (_seen(answers=[(PAGE, 200), (f"{PAGE}old", 301)]), None),
        (_seen(lost=[(f"{PAGE}next", "net::ERR_ABORTED")]), None),
        (_seen(foreign=["b", "a", "b"]), "the page asks a foreign host: a, b"),
        (_seen(answers=[(f"{PAGE}a.js?v=1", 404)]), "/a.js answered 404"),
        (_seen(lost=[(f"{PAGE}a.js", "net::ERR_FAILED")]), "/a.js did not load: net::ERR_FAILED"),
        (_seen(uncaught=["x is undefined"]), "an error that nobody caught says: x is undefined"),
        (_seen(console=["one", "two"]), "the console says: one"),
        (_seen(answers=[(API, 500)], called=500), f"the call of {API} from the page answered 500"),
        (_seen(called="TypeError"), f"the call of {API} from the page fails: TypeError"),
        (Seen(), f"the call of {API} from the page fails: not called"),
    ],
)
def test_each_fault_of_a_page_has_its_reason(seen: Seen, reason: str | None) -> None:
    assert fault(CHECK, seen) == reason


def test_a_cause_is_named_before_what_follows_from_it() -> None:
    everything = _seen(
        foreign=["live"],
        answers=[(f"{PAGE}a.js", 404)],
        uncaught=["u"],
        console=["c"],
        called=500,
    )
    assert "foreign" in str(fault(CHECK, everything))
    everything.foreign.clear()
    assert "/a.js" in str(fault(CHECK, everything))
    everything.answers.clear()
    assert "answered 500" in str(fault(CHECK, everything))
    everything.called = 200
    assert "nobody caught" in str(fault(CHECK, everything))


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        (PAGE, False),
        ("wss://api.example.com/live", False),
        ("https://live.example.com/", True),
        ("wss://live.example.com/", True),
        ("data:image/png;base64,AA", False),
        ("blob:https://live.example.com/1", False),
    ],
)
def test_what_leaves_the_browser_for_another_host_is_foreign(url: str, *, foreign: bool) -> None:
    assert is_foreign(url, HOSTS) is foreign


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((), "MAP * ~NOTFOUND, EXCLUDE api.example.com, EXCLUDE www.example.com"),
        (
            ("www.example.com:443:10.0.0.1:8443",),
            "MAP www.example.com:443 10.0.0.1:8443, MAP * ~NOTFOUND, EXCLUDE api.example.com",
        ),
        (
            ("::[::1]:",),
            "MAP api.example.com [::1], MAP www.example.com [::1], MAP * ~NOTFOUND",
        ),
        (
            ("www.example.com:443::",),
            "MAP www.example.com:443 www.example.com, MAP * ~NOTFOUND, EXCLUDE api.example.com",
        ),
    ],
)
def test_chromium_reaches_the_hosts_of_the_check_where_they_are_led_and_no_others(
    rules: tuple[str, ...], said: str
) -> None:
    assert led([ConnectTo.parse(rule) for rule in rules], HOSTS) == said


def test_a_browser_is_found_by_its_variable_or_on_the_path_and_else_the_remedy_is_named(
    tmp_path: Path,
) -> None:
    nothing = {"PATH": str(tmp_path)}
    with pytest.raises(NoBrowserError, match=r"no Chromium on PATH: install it .* or use --without"):
        found(nothing)
    program = tmp_path / "google-chrome"
    program.touch(mode=0o755)
    assert found(nothing) == str(program)
    with pytest.raises(NoBrowserError, match="ORKA_CHROMIUM names no program"):
        found({**nothing, "ORKA_CHROMIUM": str(tmp_path / "other")})
    assert found({"PATH": "", "ORKA_CHROMIUM": str(program)}) == str(program)


@pytest.mark.parametrize(
    ("seen", "changed"),
    [
        (_seen(), False),
        (_seen(lost=[(API, "net::ERR_CONNECTION_REFUSED")]), False),
        (_seen(lost=[(API, "net::ERR_NETWORK_CHANGED")]), True),
        (_seen(console=["Page.goto: net::ERR_NETWORK_CHANGED at x"]), True),
    ],
)
def test_a_machine_whose_addresses_change_says_nothing_of_the_page(seen: Seen, *, changed: bool) -> None:
    assert seen.network_changed is changed
