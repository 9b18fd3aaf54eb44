"""The test of the alerts: fired once under a label of its own, and resolved however it ends."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ops import cli
from ops.alerts import command
from ops.alerts.rehearsal import LASTS_S, NoChannelError, Step, rehearse
from ops.alerts.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHANNELS = ("pagerduty", "slack")
RECEIVER = "{{name: {name}, pagerduty_configs: [{{}}], slack_configs: [{{}}]}}"


@dataclass
class Alertmanager:
    """Hands on what it gets to the channels that take it, and counts that."""

    takes: tuple[str, ...] = CHANNELS
    refuses: tuple[str, ...] = ()
    breaks_after: int = 10_000
    """Questions; then it answers none any more, and takes alerts all the same."""
    receiver: str = "everybody"
    alerts: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.alerts += json.loads(request.content)
            return httpx.Response(200)
        self.asked += 1
        if self.asked > self.breaks_after:
            raise httpx.ReadError("the connection was lost")
        if request.url.path == "/api/v2/status":
            receivers = f"receivers: [{RECEIVER.format(name=self.receiver)}]"
            return httpx.Response(200, json={"config": {"original": receivers}})
        names = {"requests_total": (*self.takes, *self.refuses), "requests_failed_total": self.refuses}
        lines = [
            f'alertmanager_notification_{name}{{integration="{one}"}} {len(self.alerts)}'
            for name, channels in names.items()
            for one in channels
        ]
        given_up = [
            f'alertmanager_notifications_failed_total{{integration="{one}"}} {len(self.alerts)}'
            for one in self.refuses
        ]
        return httpx.Response(200, text="\n".join([*lines, *given_up]))

    @contextmanager
    def reached(self, *_: object, **__: object) -> Iterator[Server]:
        """As the command reaches one."""
        transport = httpx.MockTransport(self.answer)
        with httpx.Client(base_url="http://alertmanager", transport=transport) as client:
            yield Server(client)

    def rehearse(self, slept: Any = None) -> tuple[bool, list[str]]:
        """What became of it, and what was shown."""
        clock, shown = [0.0], list[Step]()

        def sleep(seconds: float) -> None:
            clock[0] += seconds
            if slept:
                slept()

        with self.reached() as server:
            told = rehearse(
                server,
                shown.append,
                wait_s=60,
                namespace="staging",
                now=lambda: clock[0],
                sleep=sleep,
            )
        return told, [str(step) for step in shown]

    def seconds(self) -> list[float]:
        """How long each document lets the alert go on."""
        return [
            (datetime.fromisoformat(one["endsAt"]) - datetime.fromisoformat(one["startsAt"])).total_seconds()
            for one in self.alerts
        ]


@pytest.fixture
def sigterm() -> Iterator[Callable[[], None]]:
    """Tell this process to end; where nothing takes that, the test fails and not the process."""
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("SIGTERM would have ended it at once"))
    yield lambda: signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


def _resolved(server: Alertmanager) -> bool:
    fired, ended = server.alerts
    return bool(fired["labels"] == ended["labels"] and server.seconds()[1] < 1)


def test_everybody_is_told_of_both_halves() -> None:
    server = Alertmanager()
    told, shown = server.rehearse()
    assert told
    assert shown == [f"{one}: {half} taken" for half in ("firing", "resolved") for one in CHANNELS]
    assert _resolved(server)


def test_an_alert_that_somebody_did_not_get_is_resolved_all_the_same() -> None:
    server = Alertmanager(takes=("slack",))
    told, shown = server.rehearse()
    assert not told
    assert shown == ["slack: firing taken", "pagerduty: firing NOT SENT within 60 s", "slack: resolved taken"]
    assert _resolved(server)


def test_who_refused_it_is_not_waited_for_at_its_end() -> None:
    server = Alertmanager(takes=("slack",), refuses=("pagerduty",))
    told, shown = server.rehearse()
    assert not told
    assert [line.partition(": Alertmanager's log")[0] for line in shown] == [
        "pagerduty: firing REFUSED",
        "slack: firing taken",
        "slack: resolved taken",
    ]


def test_an_interrupted_one_is_resolved() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    server = Alertmanager(takes=())
    with pytest.raises(KeyboardInterrupt):
        server.rehearse(interrupt)
    assert _resolved(server)


def test_one_whose_counts_are_not_answered_any_more_is_resolved() -> None:
    server = Alertmanager(breaks_after=2)
    with pytest.raises(httpx.ReadError):
        server.rehearse()
    assert _resolved(server)


def test_one_that_nobody_can_resolve_ends_by_itself_within_minutes_of_the_wait() -> None:
    server = Alertmanager()
    server.rehearse()
    assert server.seconds()[0] == 60 + LASTS_S <= 600


def test_a_second_run_is_another_alert() -> None:
    server = Alertmanager()
    server.rehearse()
    server.rehearse()
    assert len({one["labels"]["run"] for one in server.alerts}) == 2


def test_an_operators_name_of_the_receiver_is_understood() -> None:
    told, shown = Alertmanager(receiver="staging/orka-ppm/everybody").rehearse()
    assert told
    assert len(shown) == 4


@pytest.mark.parametrize("receiver", ["production/orka-ppm/everybody", "staging/orka-ppm/pager", "nobody"])
def test_a_receiver_of_others_is_none_of_ours_and_gets_no_alert(receiver: str) -> None:
    server = Alertmanager(receiver=receiver)
    with pytest.raises(NoChannelError, match="no receiver everybody of this stack"):
        server.rehearse()
    assert server.alerts == []


@pytest.mark.parametrize(
    ("server", "code", "told"),
    [
        (Alertmanager(receiver="nobody"), 2, "no receiver everybody of this stack"),
        (Alertmanager(breaks_after=0), 3, "Alertmanager gives no answer: the connection was lost"),
    ],
)
def test_the_command_ends_otherwise_without_a_channel_than_without_an_answer(
    server: Alertmanager,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "reached", server.reached)
    assert cli.main(["alerts", "test"]) == code
    assert told in capsys.readouterr().err


def test_one_that_is_told_to_end_is_resolved_as_an_interrupted_one_is(
    sigterm: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Alertmanager(takes=())
    monkeypatch.setattr(command, "reached", server.reached)
    monkeypatch.setattr(rehearse, "__kwdefaults__", {**rehearse.__kwdefaults__, "sleep": lambda _: sigterm()})
    assert cli.main(["alerts", "test"]) == cli.INTERRUPTED
    assert _resolved(server)
    assert capsys.readouterr().err == "ops alerts: interrupted\n"
