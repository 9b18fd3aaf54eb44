"""A disk that fills up while the migration runs: one clear cause, nothing half done, the next run goes on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sql.originals import make_original
from tests.sql.support import Database, Server, ops

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_MEGABYTES = 24


@pytest.fixture
def small_disk(server: Server) -> Iterator[Path]:
    """A tablespace's folder on a file system of its own, beside the server's data, where its user may go."""
    data = Path(server.value("SHOW data_directory"))
    folder = data.parent / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MEGABYTES}m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        space = folder / "space"
        space.mkdir()
        shutil.chown(space, data.stat().st_uid, data.stat().st_gid)
        server.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        yield folder
    finally:
        server.execute("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@pytest.fixture
def crowded(server: Server, small_disk: Path) -> Iterator[Database]:
    """A database with the original log on that disk, and a file that takes the room that is left."""
    database = server.create(vector=False)
    server.execute(f"ALTER DATABASE {database.name} SET TABLESPACE small")
    server.execute("CREATE EXTENSION vector", database=database.name)
    make_original(database, "base", 4000)
    try:
        yield database
    finally:
        (small_disk / "ballast").unlink(missing_ok=True)
        database.drop()


def fill(disk: Path, leave_kilobytes: int) -> None:
    """Write a file until only so much is free."""
    free = subprocess.run(
        ["df", "--output=avail", "-k", str(disk)], check=True, capture_output=True, text=True
    )
    size = int(free.stdout.split()[-1]) - leave_kilobytes
    (disk / "ballast").write_bytes(b"\0" * 1024 * size)


def test_a_full_disk_is_the_cause_in_one_line_and_the_next_run_goes_on(
    crowded: Database, small_disk: Path
) -> None:
    before = crowded.value("SELECT count(*) FROM public.roche_audit_logs")
    fill(small_disk, leave_kilobytes=2500)
    run = ops(crowded, "apply", "--adopt", "--batch-size", "500", "--json")
    assert run.code == 15
    assert any(line.startswith("53100: ") and "No space left" in line for line in run.json["cause"])
    assert crowded.value("SELECT count(*) FROM public.roche_audit_logs") == before, "in use as before"
    (small_disk / "ballast").unlink()
    run = ops(crowded, "apply")
    assert run.code == 0, run.err
    assert crowded.value("SELECT count(*) FROM public.roche_audit_logs") == before
