"""`ops.preview` against a kubectl that answers as told."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from ops import preview

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl of shell: the test writes its body."""
    program = tmp_path / "kubectl"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return program


def _answer(program: Path, body: str) -> None:
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_user_with_all_rights_is_told_that_the_server_validates(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _answer(kubectl, "echo yes")
    assert preview.main() == 0
    assert "server-validated: yes" in capsys.readouterr().out


def test_a_missing_right_is_named(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _answer(kubectl, 'case "$*" in *"can-i patch secrets"*) echo no; exit 1;; *) echo yes;; esac')
    assert preview.main() == 0
    out = capsys.readouterr().out
    assert "server-validated: no" in out
    assert "patch secrets in namespace staging" in out
    assert "create secrets" not in out


def test_an_unreachable_server_fails_and_stands_in_the_summary(
    kubectl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(kubectl, 'echo "dial tcp 10.0.0.1:6443: connect: connection refused" >&2; exit 1')
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert preview.main() == 1
    assert "connection refused" in summary.read_text()
