"""The checker says what the services are: in the guide's shape, in time, and without asking them always."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from model.check_defaults import Wanted, default_checks
from ops.checker import probes
from ops.checker.state import Remembered
from ops.checks.possible import selected
from tests.checks.fake_postgres import FakePostgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.checks.conftest import Stage

NOWHERE = "127.0.0.1:9"
ENDS_WITHIN_S = 20
"""What a busy machine may need for a wait of a second."""


def _started(stage: Stage, **other: str) -> str:
    bench = stage.bench
    environment = {**bench.application(stage.database.admin_url), **other}
    command = (sys.executable, "-m", "ops.cli", "checker", "--host", "127.0.0.1", "--port", "{port}")
    bench.start("checker", *command, **environment)
    return bench.url("checker")


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _state(url: str, name: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/health/{name}", timeout=20)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found.keys() == {"status", "latency_ms"}
    return found


def test_healthy_services_satisfy_the_guides_checks(stage: Stage) -> None:
    url = _started(stage)
    try:
        checks = default_checks(Wanted(release_id="r", api_url=url, frontend_url=url))
        names = {"database", "redis", "openai"}
        run = stage.bench.checks(selected(checks, lambda check: check.name in names), {})
        assert run.red == {}
        assert {check["name"] for check in run.result["checks"]} == names
        assert httpx.get(f"{url}/").json() == {"status": "running"}
        assert httpx.get(f"{url}/health").status_code == 404
    finally:
        stage.bench.stop("checker")


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("redis", {"REDIS_PASSWORD": "wrong"}),
        ("redis", {"REDIS_URL": f"redis://{NOWHERE}"}),
        ("openai", {"OPENAI_API_KEY": "sk-wrong-key-of-a-test"}),
        ("openai", {"OPENAI_BASE_URL": f"http://{NOWHERE}/v1"}),
        ("db", {"DATABASE_URL": f"postgresql://app:hunter2@{NOWHERE}/postgres"}),
    ],
)
def test_a_broken_service_alone_is_degraded_and_the_log_holds_no_secret(
    stage: Stage, name: str, variables: dict[str, str]
) -> None:
    url = _started(stage, **variables)
    try:
        states = {each: _state(url, each)["status"] for each in ("db", "redis", "openai")}
    finally:
        stage.bench.stop("checker")
    assert states == {**dict.fromkeys(states, "healthy"), name: "degraded"}
    log = (stage.bench.folder / "checker.log").read_text()
    assert f"{name} is not healthy" in log
    for value in (*variables.values(), "hunter2", stage.bench.known.redis_password):
        assert value not in log


@pytest.mark.parametrize(
    ("name", "variable", "shape"),
    [
        ("redis", "REDIS_URL", "redis://{}"),
        ("openai", "OPENAI_BASE_URL", "http://{}/v1"),
        ("db", "DATABASE_URL", "postgresql://app@{}/postgres"),
    ],
)
def test_a_service_that_says_nothing_is_degraded_after_its_deadline(
    stage: Stage, silent: str, name: str, variable: str, shape: str
) -> None:
    url = _started(stage, **{variable: shape.format(silent)})
    try:
        state = _state(url, name)
        assert state["status"] == "degraded"
        assert state["latency_ms"] >= 1_000 * min(probes.DEADLINE_S.values()) - 50
        # One that hangs keeps no other waiting.
        assert _state(url, "redis" if name != "redis" else "db")["status"] == "healthy"
    finally:
        process = stage.bench.processes["checker"]
        stage.bench.stop("checker")
    assert process.returncode == 0, "it did not end when it was told to"


def test_many_questions_are_one_question_to_openai(stage: Stage) -> None:
    asked = f"{stage.bench.url('openai')}/_asked"
    url = _started(stage)
    try:
        httpx.delete(asked)
        assert {_state(url, "openai")["status"] for _ in range(20)} == {"healthy"}
        assert httpx.get(asked).json()["total"] == 1
    finally:
        stage.bench.stop("checker")


def test_a_state_is_asked_for_anew_when_it_is_old() -> None:
    calls: list[int] = []
    clock = [0.0]
    state = Remembered("x", lambda: calls.append(1), deadline_s=5, keep_s=10)
    for moment, expected in ((0.0, 1), (9.9, 1), (10.0, 2), (19.0, 2)):
        clock[0] = moment
        assert state.ask(lambda: clock[0]).status == "healthy"
        assert len(calls) == expected


def test_a_probe_that_hangs_is_not_asked_a_second_time() -> None:
    calls: list[int] = []
    over = threading.Event()

    def hang() -> None:
        calls.append(1)
        over.wait(20)

    state = Remembered("x", hang, deadline_s=0.05, keep_s=10)
    assert [state.ask().status for _ in range(5)] == ["degraded"] * 5
    assert len(calls) == 1
    over.set()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "DEADLINE_S", dict.fromkeys(probes.DEADLINE_S, 1.0))


@pytest.mark.usefixtures("hurried")
def test_a_database_that_was_silent_once_is_healthy_again_and_nothing_is_left_of_it() -> None:
    with FakePostgres(silent=True) as server:
        state = Remembered("db", lambda: probes.database(server.url), deadline_s=1, keep_s=0)
        assert state.ask().status == "degraded"
        server.silent = False
        ends = time.monotonic() + ENDS_WITHIN_S
        while state.ask().status != "healthy":
            assert time.monotonic() < ends, "it asks the one that is silent for ever"
            time.sleep(0.1)
        while server.open:
            assert time.monotonic() < ends, "the connection that was silent is still there"
            time.sleep(0.1)


def test_a_pooler_that_takes_no_startup_parameters_is_healthy_and_keeps_none_for_others() -> None:
    with FakePostgres(refused="options") as server:
        probes.database(server.url)
        bound = f"SET LOCAL statement_timeout = {probes.DEADLINE_S['db'] * 1000:.0f}"
        assert server.statements == ["BEGIN", bound, "SELECT 1", "COMMIT"]


@pytest.fixture
def dripping() -> Iterator[str]:
    """An address that answers a byte every tenth of a second, and never a whole line."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while not over.wait(0.1):
                connection.sendall(b"+")

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=lambda: drip(server.accept()[0]), daemon=True)
        accepting.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        over.set()
        accepting.join()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "probe",
    [
        lambda address: probes.redis(f"redis://{address}", "secret"),
        lambda address: probes.openai(f"http://{address}", "sk-key", None),
    ],
    ids=["redis", "openai"],
)
def test_an_answer_in_drops_ends_with_the_deadline(dripping: str, probe: Callable[[str], None]) -> None:
    found: list[type[BaseException]] = []

    def ask() -> None:
        try:
            probe(dripping)
        except Exception as error:  # noqa: BLE001 - which one is what is asked
            found.append(type(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ENDS_WITHIN_S)
    assert found == [TimeoutError]


def test_without_its_variables_it_says_which_and_ends(stage: Stage) -> None:
    done = stage.bench.ended("ops.cli", "checker")
    assert done.returncode == 2
    assert b"set DATABASE_URL, REDIS_URL, OPENAI_API_KEY" in done.stderr


def test_it_ends_by_itself_when_it_is_told_to(stage: Stage) -> None:
    _started(stage)
    process = stage.bench.processes["checker"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    stage.bench.stop("checker")
