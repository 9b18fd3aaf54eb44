"""The migration Job beside another one, and the backup that it takes into somebody else's claim."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.twin import further_migration
from tests.twin.conftest import PATHS
from tests.twin.machine import apply, kubectl
from tests.twin.stack import begins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.twin.stack import Stack

CLAIM = "backups-of-a-test"
GROUP = 10_001
SLOW = f"SELECT pg_sleep(20);\n{further_migration.GOOD}"
# The claim is looked for as long as the Job may live.
MISSING_DEADLINE_S = 20

pytestmark = pytest.mark.usefixtures("further")


@pytest.fixture
def backups(deployed: Stack) -> Iterator[Path]:
    """A claim as somebody makes it by hand, on a folder of this machine that the Job's group may write to."""
    folder = PATHS.data / CLAIM
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, 0, GROUP)
    folder.chmod(0o2770)
    size = {"storage": "1Gi"}
    apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": CLAIM},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": str(folder), "type": "Directory"},
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM, "namespace": "staging"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": size},
                "storageClassName": "",
                "volumeName": CLAIM,
            },
        },
    )
    yield folder
    # A claim stays as long as a pod mentions it: the finished migration goes with the next `up`.
    kubectl("delete", "persistentvolumeclaim", "-n", "staging", CLAIM, "--wait=false")
    kubectl("delete", "persistentvolume", CLAIM, "--wait=false")
    deployed.up()
    shutil.rmtree(folder)


def _migrations(stack: Stack) -> list[dict[str, Any]]:
    """Start and end of every migration Job there is, the one that began first at the head."""
    jobs = json.loads(stack.kubectl("get", "jobs", "--output", "json"))["items"]
    states = [job["status"] for job in jobs if job["metadata"]["name"].startswith("migration-")]
    return sorted(states, key=lambda state: str(state.get("startTime", "")))


@pytest.mark.soak("a slow migration and two rollouts")
def test_of_two_migrations_at_once_one_waits_and_does_nothing(scratch_clone: Stack, tmp_path: Path) -> None:
    further_migration.write(scratch_clone.folder, SLOW)
    migrating = begins("kubernetes:batch/v1:Job", "migration")
    scratch_clone.interrupted_up(migrating, signal.SIGKILL, tmp_path / "events.json", settle_s=2.0)
    assert scratch_clone.pulumi("cancel", "--yes").code == 0
    second = scratch_clone.up()
    assert second.code == 0, second
    left_behind, waited = _migrations(scratch_clone)[-2:]
    assert left_behind["succeeded"] == waited["succeeded"] == 1
    assert waited["startTime"] < left_behind["completionTime"] <= waited["completionTime"]
    assert further_migration.applied(PATHS).count(further_migration.VERSION) == 1


def test_a_pending_migration_is_backed_up_into_the_claim_first(scratch_clone: Stack, backups: Path) -> None:
    scratch_clone.set("orka-ppm:migration.backup.claim", CLAIM)
    nothing_pending = scratch_clone.up()
    assert nothing_pending.code == 0, nothing_pending
    assert list(backups.iterdir()) == []

    further_migration.write(scratch_clone.folder, further_migration.GOOD)
    migrated = scratch_clone.up()
    assert migrated.code == 0, migrated
    (taken,) = backups.iterdir()
    told = json.loads((taken / "manifest.json").read_text())
    assert told["tables"]["public.roche_audit_logs"]["rows"] > 0
    assert [entry["version"] for entry in told["ledger"]] == [further_migration.LATEST], (
        "it was taken too late"
    )
    assert "restored into a scratch database" in told["proved"]
    assert (taken / told["dump"]["name"]).stat().st_size == told["dump"]["bytes"]


@pytest.mark.soak("the runner's own tests refuse its folder in every run")
def test_a_claim_that_is_missing_stops_the_migration_before_it_changes_anything(scratch_clone: Stack) -> None:
    scratch_clone.set("orka-ppm:migration.backup.claim", "no-such-claim")
    scratch_clone.set("orka-ppm:migration.deadline-seconds", str(MISSING_DEADLINE_S))
    further_migration.write(scratch_clone.folder, further_migration.GOOD)
    failed = scratch_clone.up()
    assert failed.code != 0
    assert 'persistentvolumeclaim "no-such-claim" not found' in failed.output, failed
    assert further_migration.VERSION not in further_migration.applied(PATHS)


@pytest.fixture
def almost_full(backups: Path) -> Iterator[None]:
    """The claim's folder, with less room than any backup asks for."""
    options = f"size=4m,gid={GROUP},mode=2770"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", backups], check=True, timeout=10)
    yield
    subprocess.run(["umount", backups], check=True, timeout=10)


@pytest.mark.soak("the runner's own tests fill a disk in every run")
@pytest.mark.usefixtures("almost_full")
def test_a_claim_that_is_full_stops_the_migration_before_it_changes_anything(scratch_clone: Stack) -> None:
    scratch_clone.set("orka-ppm:migration.backup.claim", CLAIM)
    further_migration.write(scratch_clone.folder, further_migration.GOOD)
    failed = scratch_clone.up()
    assert failed.code != 0
    assert "/backup has 4 MiB free, the backup may need" in failed.output, failed
    assert further_migration.VERSION not in further_migration.applied(PATHS)
