"""The message after a deployment: sent once, tried again where it helps, its address never shown."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ops import cli
from ops.alerts.announce import NotToldError, announce

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Slack:
    """Answers with these codes, one after the other, the last one for ever."""

    url: str = ""
    codes: list[int] = field(default_factory=lambda: [200])
    got: list[bytes] = field(default_factory=list)


@pytest.fixture
def slack() -> Iterator[Slack]:
    state = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.got.append(self.rfile.read(int(self.headers["content-length"])))
            code = state.codes.pop(0) if len(state.codes) > 1 else state.codes[0]
            self.send_response(code)
            if code == 429:
                self.send_header("retry-after", "7")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/services/T/B/hidden"
    yield state
    server.shutdown()


@dataclass
class Clock:
    """Time that passes by sleeping."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def _announce(slack: Slack, clock: Clock) -> None:
    announce(slack.url, "Staging deployment complete", now=lambda: clock.at, sleep=clock.sleep)


def test_the_guides_words_are_sent_once(slack: Slack) -> None:
    _announce(slack, Clock())
    assert slack.got == [b'{"text":"Staging deployment complete"}']


def test_slack_is_left_alone_for_as_long_as_it_asks(slack: Slack) -> None:
    slack.codes, clock = [429, 503, 200], Clock()
    _announce(slack, clock)
    assert len(slack.got) == 3
    assert clock.slept == [7.0, 2.0]


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_a_refusal_is_not_tried_again(slack: Slack, code: int) -> None:
    slack.codes = [code]
    with pytest.raises(NotToldError, match=f"refused the message: code {code}"):
        _announce(slack, Clock())
    assert len(slack.got) == 1


def test_it_ends_in_time(slack: Slack) -> None:
    slack.codes, clock = [500], Clock()
    with pytest.raises(NotToldError, match="within 90 s: code 500"):
        _announce(slack, clock)
    assert clock.at <= 90


def test_nobody_there_is_tried_again_too(slack: Slack) -> None:
    clock = Clock()
    with pytest.raises(NotToldError, match="ConnectError"):
        announce("http://127.0.0.1:9/x", "words", now=lambda: clock.at, sleep=clock.sleep)
    assert clock.slept
    assert slack.got == []


def test_the_address_is_read_from_its_file_and_never_shown(
    slack: Slack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "url").write_text(f"{slack.url}\n")
    command = ["alerts", "announce", "--url-file", str(tmp_path / "url")]
    assert cli.main(command) == 0
    slack.codes = [403]
    assert cli.main(command) == 1
    assert cli.main(["alerts", "announce", "--url-file", str(tmp_path / "none")]) == 2
    shown = capsys.readouterr()
    assert "hidden" not in shown.out + shown.err
    assert "is slack-webhook-url still valid?" in shown.err
