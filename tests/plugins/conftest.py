"""What the tests of several plugins share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.plugins import docker_fake
from tests.plugins.postgresql_fake import FakePostgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.plugins.docker_fake import FakeDocker


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's folder, with the build context `ctx`."""
    (tmp_path / "ctx").mkdir()
    (tmp_path / "ctx" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def docker() -> Iterator[FakeDocker]:
    """A scripted daemon with the twin's mark."""
    with docker_fake.serve(docker_fake.FakeDocker()) as fake:
        yield fake


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakePostgresql:
    """A scripted PostgreSQL with the twin's mark."""
    fake = FakePostgresql()
    monkeypatch.setattr(psycopg, "connect", fake.connect)
    return fake
