"""The twin is up (the Makefile started it); here the stack is deployed to it once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.checkout import CHECKOUT
from tests.twin import further_migration
from tests.twin.stack import Stack
from twin import secrets
from twin.environment import environment
from twin.paths import default

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATHS = default()
ANOTHER_YEAR = 1_950_000_000


@pytest.fixture(scope="session")
def twin_environment() -> dict[str, str]:
    """What `twin env` exports, over this process's own environment."""
    return {**os.environ, **environment(PATHS)}


@pytest.fixture(scope="session")
def deployed(twin_environment: dict[str, str]) -> Stack:
    """The stack, deployed by the command `make up` uses."""
    done = subprocess.run(
        [sys.executable, "-m", "twin.deploy"], cwd=CHECKOUT, text=True, timeout=900, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return Stack(CHECKOUT, twin_environment)


def heal(deployed: Stack) -> None:
    """Later tests find the twin's own stack file deployed again, whatever a test did."""
    healed = deployed.up()
    if "currently locked" in healed.output:
        deployed.pulumi("cancel", "--yes")
        healed = deployed.up()
    assert healed.code == 0, healed


@contextmanager
def _stack_file_kept() -> Iterator[None]:
    saved = PATHS.stack_file.read_text()
    try:
        yield
    finally:
        PATHS.stack_file.write_text(saved)


@pytest.fixture
def stack(deployed: Stack) -> Iterator[Stack]:
    """The deployed stack; its stack file is put back afterwards and applied."""
    with _stack_file_kept():
        yield deployed
    heal(deployed)


@pytest.fixture
def unapplied(deployed: Stack) -> Iterator[Stack]:
    """The deployed stack, for changes to its stack file that are refused or only previewed."""
    with _stack_file_kept():
        yield deployed


@pytest.fixture
def further() -> Iterator[None]:
    """The database without the further migration, before and after."""
    further_migration.remove(PATHS)
    yield
    further_migration.remove(PATHS)


@pytest.fixture
def scratch_clone(deployed: Stack, tmp_path: Path, twin_environment: dict[str, str]) -> Iterator[Stack]:
    """A clone whose committed `Pulumi.staging.yaml` is the twin's whole stack file, as a team would have it.

    It uses the same state as the deployed stack, and is told nothing by `PULUMI_OPTION_CONFIG_FILE`.
    """
    folder = tmp_path / "clone"
    own = dict(twin_environment)
    own.pop("PULUMI_OPTION_CONFIG_FILE")
    stack = Stack(folder, own)
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(folder)], check=True, timeout=60)
    shutil.copy(PATHS.stack_file, folder / "Pulumi.staging.yaml")
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    stack.run("git", "config", "user.email", "test@example.com")
    stack.run("git", "config", "user.name", "Test")
    commit(stack, "the twin's stack file")
    yield stack
    heal(deployed)


def rotate_service_key(stack: Stack) -> str:
    """Another service key of Supabase's in the stack file; the key."""
    claims = {"iss": "supabase", "role": "service_role", "exp": ANOTHER_YEAR}
    rotated = secrets.mint(secrets.of(PATHS).jwt_secret, claims)
    done = stack.pulumi("config", "set", "--secret", "orka-ppm:supabase-service-key", stdin=rotated)
    assert done.code == 0, done
    return rotated


def commit(stack: Stack, message: str) -> str:
    """Commit everything in the clone; its id."""
    assert stack.run("git", "add", "--all", "--", ".", ":!.venv").code == 0
    done = stack.run("git", "commit", "-q", "-m", message)
    assert done.code == 0, done
    return stack.run("git", "rev-parse", "HEAD").output.strip()
