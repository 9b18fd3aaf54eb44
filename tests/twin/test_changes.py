"""What is shown before and while something changes, and what works while the database is away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from model.secrets import SECRETS
from tests.checkout import CHECKOUT
from tests.twin.away import DATABASE, without
from tests.twin.stack import Stack
from twin.paths import BRIDGE_ADDRESS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_changed_setting_is_shown_as_one_readable_line_for_each_place(unapplied: Stack) -> None:
    unapplied.set("orka-ppm:backend.log-level", "DEBUG")
    shown = unapplied.preview("--diff")
    assert shown.code == 0, shown
    changed = [line.strip() for line in shown.output.splitlines() if "DEBUG" in line]
    # The backend and the four cron jobs read it.
    assert len(changed) == 5, shown
    assert all("INFO" in line and "=>" in line for line in changed), changed


def test_while_the_database_is_away_a_preview_works_without_refresh_and_names_it_with(
    deployed: Stack,
) -> None:
    with without(*DATABASE):
        preview = deployed.preview("--refresh=false", "--expect-no-changes")
        assert preview.code == 0, preview
        up = deployed.up("--refresh=false", "--expect-no-changes")
        assert up.code == 0, up
        refused = deployed.preview()
        assert refused.code != 0
        assert f"{BRIDGE_ADDRESS}:5432" in refused.output, refused
    healed = deployed.unchanged("up")
    assert healed.code == 0, healed


def test_a_preview_of_the_committed_file_alone_lists_all_that_is_missing(
    deployed: Stack, tmp_path: Path
) -> None:
    folder, state = tmp_path / "clone", tmp_path / "state"
    state.mkdir()
    assert deployed.run("git", "clone", "-q", str(CHECKOUT), str(folder)).code == 0
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    away = {
        "KUBECONFIG": "/nowhere",
        "DOCKER_HOST": "unix:///nowhere",
        "PULUMI_BACKEND_URL": f"file://{state}",
    }
    own = {**deployed.environment, **away}
    own.pop("PULUMI_OPTION_CONFIG_FILE")
    fresh = Stack(folder, own)
    assert fresh.run("pulumi", "stack", "init", "staging", "--non-interactive").code == 0
    refused = fresh.preview()
    assert refused.code != 0
    for name in ("backend", "frontend", "ops"):
        assert f"pulumi config set --path 'orka-ppm:images.{name}.digest' sha256:…" in refused.output, refused
    for spec in SECRETS:
        asked_for = f"pulumi config set --secret orka-ppm:{spec.key}" in refused.output
        assert asked_for == (spec.required or spec.key.startswith("check-")), (spec.key, refused)


def test_a_missing_and_a_malformed_setting_are_listed_before_anything_is_registered(
    unapplied: Stack,
) -> None:
    assert unapplied.pulumi("config", "rm", "--path", "orka-ppm:edge.api-host").code == 0
    unapplied.set("orka-ppm:backend.replicas", "none")
    unapplied.set("orka-ppm:images.backend.digest", "latest")
    # Without the refresh, which looks at what is there before the program runs.
    for refused in (unapplied.preview("--refresh=false"), unapplied.up("--refresh=false")):
        assert refused.code != 0
        assert "3 faults; nothing was changed" in refused.output, refused
        for place in ("edge.api-host is missing", "backend.replicas", "images.backend.digest"):
            assert f"orka-ppm:{place}" in refused.output, refused
        assert "pulumi config set --path 'orka-ppm:edge.api-host' VALUE" in refused.output
        # An operation's line begins with its sign, `+` or `~`.
        assert not re.search(r"^ *[-+~]+ +kubernetes:", refused.output, re.MULTILINE), refused
