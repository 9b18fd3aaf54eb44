"""Real Prometheus, Alertmanager and blackbox exporter on loopback, and an application that obeys."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
import yaml

from model import alertmanager, scrape
from model.alert_routes import Channels
from tests.answering import answer_json
from tests.checks.ports import await_port, free_port
from tests.monitoring.support import rules, settings
from twin import debian_tools, secrets
from twin.standins import alert_channels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Debian's Alertmanager reads its templates there and nowhere else: it gets a /usr/share of its own.
OWN_SHARE = (
    'mount -t tmpfs none /usr/share && mkdir -p /usr/share/prometheus && cp -r "$0" /usr/share/prometheus/'
    ' && exec "$@"'
)
QUICK = 60
"""How many times faster than shipped."""


@dataclass
class Bench:
    """Where things answer, and what the application says of itself."""

    alertmanager: str
    prometheus: str
    channels: str
    blackbox: str
    backend: str = ""
    said: dict[str, Any] = field(default_factory=lambda: {"status": "healthy"})

    slack_file: Path | None = None
    _kept: str = ""

    def turn_away(self, channel: str) -> None:
        """Have Slack refuse: Alertmanager reads the address anew for every message."""
        assert channel == "slack"
        assert self.slack_file is not None
        self._kept = self.slack_file.read_text()
        self.slack_file.write_text(f"{self.channels}/services/T/B/withdrawn")

    def let_in(self) -> None:
        """Have it accept again."""
        assert self.slack_file is not None
        self.slack_file.write_text(self._kept)

    def arrived(self, channel: str) -> list[dict[str, Any]]:
        """What a channel got, the oldest first."""
        asked = httpx.get(f"{self.channels}/_asked").json()["requests"]
        return [one["body"] for one in asked if one["channel"] == channel and one["status"] < 300]

    def pages(self, alert: str, action: str) -> list[dict[str, Any]]:
        """The pages about one alert."""
        return [
            page
            for page in self.arrived("pagerduty")
            if page["event_action"] == action and page["payload"]["class"] == alert
        ]

    def judged_well(self) -> bool:
        """Whether the prober takes the backend for healthy now."""
        asked = {"module": scrape.JSON_MODULE, "target": f"{self.backend}/health"}
        answer = httpx.get(f"{self.blackbox}/probe", params=asked).raise_for_status().text
        return "\nprobe_success 1\n" in answer

    def lines(self, status: str, alert: str) -> list[str]:
        """What Slack shows of one alert."""
        shown = [one for body in self.arrived("slack") for one in body["attachments"]]
        return [one["text"] for one in shown if one["title"].startswith(f"{status}: {alert} ")]


def application(said: dict[str, Any]) -> ThreadingHTTPServer:
    """The application: 200 always, whatever it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer_json(self, 200, said if self.path == "/health" else {"status": "healthy"})

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@contextmanager
def running(folder: Path) -> Iterator[Bench]:
    """All of it, under the shipped configuration with other addresses."""
    ports = {name: free_port() for name in ("prometheus", "alertmanager", "blackbox", "channels")}
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    bench = Bench(*(f"http://{at[name]}" for name in ("alertmanager", "prometheus", "channels", "blackbox")))
    known = secrets._make()
    with ExitStack() as stack:
        served = application(bench.said)
        stack.callback(served.shutdown)
        bench.backend = f"http://127.0.0.1:{served.server_port}"
        _stand_in(stack, known, ports["channels"])
        stack_settings = settings(
            **{
                "clock-divisor": QUICK,
                "scrape-interval-seconds": 1,
                "pagerduty-url": f"{bench.channels}/v2/enqueue",
                "watchdog-url": f"{bench.channels}/watchdog",
            }
        )
        addresses = {
            "http://backend": bench.backend,
            "http://frontend": bench.backend,
            "alertmanager:9093": at["alertmanager"],
            "blackbox-exporter:9115": at["blackbox"],
            "localhost:9090": at["prometheus"],
            scrape.RULES_FILE: str(folder / "rules.yaml"),
            alertmanager.SECRETS_MOUNT: str(folder),
        }
        both = Channels(slack=True, pagerduty=True)
        for name, document in (
            ("rules", rules(stack_settings)),
            ("prometheus", scrape.configuration(stack_settings)),
            ("alertmanager", alertmanager.configuration(stack_settings, both)),
            ("blackbox", scrape.blackbox()),
        ):
            text = yaml.safe_dump(document)
            for shipped, here in addresses.items():
                text = text.replace(shipped, here)
            (folder / f"{name}.yaml").write_text(text)
        (folder / alertmanager.SLACK_FILE).write_text(f"{bench.channels}{known.slack_path}")
        bench.slack_file = folder / alertmanager.SLACK_FILE
        (folder / alertmanager.PAGERDUTY_FILE).write_text(known.pagerduty_key)
        _program(stack, folder, "prometheus-blackbox-exporter", "blackbox", ports)
        _program(
            stack, folder, "prometheus-alertmanager", "alertmanager", ports,
            f"--storage.path={folder}/alerts", "--cluster.listen-address=",
        )  # fmt: skip
        _program(
            stack, folder, "prometheus", "prometheus", ports,
            f"--storage.tsdb.path={folder}/series", "--rules.alert.resend-delay=1s",
        )  # fmt: skip
        yield bench


def _stand_in(stack: ExitStack, known: secrets.Secrets, port: int) -> None:
    config = uvicorn.Config(alert_channels.application(known), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    stack.callback(lambda: setattr(server, "should_exit", True))
    while not server.started:
        time.sleep(0.05)


def _program(
    stack: ExitStack, folder: Path, program: str, name: str, ports: dict[str, int], *more: str
) -> None:
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    share = debian_tools.unpacked(debian_tools.PROGRAMS[program]) / "usr/share/prometheus/alertmanager"
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", OWN_SHARE, str(share)]
    process = subprocess.Popen(
        [
            *(inside if share.is_dir() else []),
            str(debian_tools.program(program)),
            f"--config.file={folder}/{name}.yaml",
            f"--web.listen-address=127.0.0.1:{ports[name]}",
            *more,
        ],
        stdout=log, stderr=log, cwd=folder,
    )  # fmt: skip
    stack.callback(process.wait)
    stack.callback(process.terminate)
    await_port(ports[name], process)
