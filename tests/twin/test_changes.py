"""What is shown before and while something changes, and what works while the database is away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.twin.conftest import PATHS
from tests.twin.machine import twin
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.twin.stack import Stack


def test_a_changed_setting_is_shown_as_one_readable_line_for_each_place(stack: Stack) -> None:
    stack.set("orka-ppm:backend.log-level", "DEBUG")
    shown = stack.preview("--diff")
    assert shown.code == 0, shown
    changed = [line.strip() for line in shown.output.splitlines() if "DEBUG" in line]
    # The backend and the four cron jobs read it.
    assert len(changed) == 5, shown
    assert all("INFO" in line and "=>" in line for line in changed), changed


@contextmanager
def _database_away() -> Iterator[None]:
    supervisor = Supervisor(PATHS)
    assert supervisor.stop("postgres-tls")
    assert supervisor.stop("postgres")
    try:
        yield
    finally:
        back = twin("up")
        assert back.returncode == 0, back.stderr


def test_while_the_database_is_away_a_preview_works_without_refresh_and_names_it_with(
    deployed: Stack,
) -> None:
    with _database_away():
        preview = deployed.preview("--refresh=false", "--expect-no-changes")
        assert preview.code == 0, preview
        up = deployed.up("--refresh=false", "--expect-no-changes")
        assert up.code == 0, up
        refused = deployed.preview()
        assert refused.code != 0
        assert f"{BRIDGE_ADDRESS}:5432" in refused.output, refused
    healed = deployed.up("--expect-no-changes")
    assert healed.code == 0, healed


def test_a_missing_and_a_malformed_setting_are_listed_before_anything_is_registered(stack: Stack) -> None:
    assert stack.pulumi("config", "rm", "--path", "orka-ppm:edge.api-host").code == 0
    stack.set("orka-ppm:backend.replicas", "none")
    stack.set("orka-ppm:images.backend.digest", "latest")
    # Without the refresh, which looks at what is there before the program runs.
    for refused in (stack.preview("--refresh=false"), stack.up("--refresh=false")):
        assert refused.code != 0
        assert "3 faults; nothing was changed" in refused.output, refused
        for place in ("edge.api-host is missing", "backend.replicas", "images.backend.digest"):
            assert f"orka-ppm:{place}" in refused.output, refused
        assert "pulumi config set --path 'orka-ppm:edge.api-host' VALUE" in refused.output
        assert "kubernetes:" not in refused.output, "a resource was registered"
