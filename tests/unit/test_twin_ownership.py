"""One twin a machine: it is named by whoever comes second, and ended only when told to."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from twin import cli, ownership, packages, proc
from twin import paths as twin_paths
from twin.paths import Paths
from twin.processes import Process, Supervisor
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(
        checkout=tmp_path / "one", data=tmp_path / "one/.twin", state=tmp_path / "state", run=tmp_path / "run"
    )


@pytest.fixture
def other(paths: Paths, tmp_path: Path) -> Paths:
    return dataclasses.replace(paths, checkout=tmp_path / "two", data=tmp_path / "two/.twin")


@pytest.fixture
def running(other: Paths) -> Iterator[Supervisor]:
    """The other checkout's twin, of which one process runs."""
    ownership.claim(other)
    supervisor = Supervisor(other)
    supervisor.ensure(Process(name="sleeper", argv=("sleep", "60"), ready=lambda: True))
    yield supervisor
    supervisor.stop("sleeper")


def test_a_twin_is_claimed_once_and_keeps_its_identifier(paths: Paths) -> None:
    first = ownership.claim(paths)
    assert ownership.claim(paths) == first
    assert ownership.foreign(paths) is None
    assert first.settings["net/ipv4/ip_forward"] in {"0", "1"}


def test_a_claim_of_an_earlier_boot_is_renewed_with_the_settings_of_this_one(paths: Paths) -> None:
    ownership.claim(paths)
    file = paths.state / "owner.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "another", "settings": {}}))
    renewed = ownership.claim(paths)
    assert renewed.boot == proc.boot_id()
    assert renewed.settings


@pytest.mark.usefixtures("running")
def test_up_names_another_checkouts_twin_and_ends_with_3(
    paths: Paths, other: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    monkeypatch.setattr(packages, "install", lambda: pytest.fail("a step ran"))
    (other.checkout / "pyproject.toml").touch()
    assert cli.main(["up"]) == 3
    said = capsys.readouterr().err
    assert str(other.checkout) in said
    assert "; `twin up --replace` ends it and starts this checkout's\n" in said
    assert "no longer exists" not in said
    (other.checkout / "pyproject.toml").unlink()
    assert cli.main(["up"]) == 3
    assert f"{other.checkout}, which no longer exists" in capsys.readouterr().err


@pytest.mark.usefixtures("running")
def test_status_names_another_checkouts_twin_and_how_this_ones_is_started(
    paths: Paths, other: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    assert cli.main(["status"]) == 1
    said = capsys.readouterr().out
    assert f"verdict: the twin of {other.checkout}" in said
    assert said.endswith("; `twin up --replace` ends it and starts this checkout's\n")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("verb", ["down", "reset"])
def test_down_and_reset_leave_another_checkouts_twin_alone_and_say_how_it_is_ended(
    verb: str,
    paths: Paths,
    other: Paths,
    monkeypatch: pytest.MonkeyPatch,
    running: Supervisor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    assert cli.main([verb]) == 3
    assert running.find("sleeper")
    said = capsys.readouterr().err
    assert str(other.checkout) in said
    assert said.endswith("; `twin down --replace` ends it\n")
    assert "twin up" not in said


def test_down_without_any_twin_says_so_and_succeeds(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    assert cli.main(["down"]) == 0
    assert "no twin runs" in capsys.readouterr().err


def test_two_commands_at_once_are_refused(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "LOCK_TIMEOUT_S", 0.2)
    with (
        ownership.locked(paths),
        pytest.raises(StepError, match="another `twin` command"),
        ownership.locked(paths),
    ):
        pytest.fail("both got in")
    with ownership.locked(paths):
        pass


def test_release_forgets_the_twin(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tmp_path / "sys"
    (kernel / "net/ipv4").mkdir(parents=True)
    (kernel / "net/ipv4/ip_forward").write_text("0\n")
    monkeypatch.setattr(ownership, "SYSCTL", kernel)
    ownership.claim(paths)
    (kernel / "net/ipv4/ip_forward").write_text("1\n")
    ownership.release(paths)
    assert (kernel / "net/ipv4/ip_forward").read_text().strip() == "0"
    assert ownership.read(paths) is None


def test_a_damaged_record_is_told_and_not_overwritten(paths: Paths) -> None:
    paths.state.mkdir(parents=True)
    (paths.state / "owner.json").write_text("{")
    with pytest.raises(StepError, match="damaged"):
        ownership.claim(paths)
    assert (paths.state / "owner.json").read_text() == "{"


@pytest.mark.parametrize("words", [[], ["nonsense"], ["logs"]])
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(words)
    assert raised.value.code == 2


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["up", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for code in ("0 done", "1 a step failed", "2 wrong usage", "3 another checkout's twin runs"):
        assert code in said


def test_logs_shows_the_end_of_a_log_and_names_the_others_when_there_is_none(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    paths.logs.mkdir(parents=True)
    (paths.logs / "etcd.log").write_text("one\ntwo\nthree\n")
    assert cli.main(["logs", "etcd", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "two\nthree\n"
    assert cli.main(["logs", "nobody"]) == 2
    assert "etcd" in capsys.readouterr().err
