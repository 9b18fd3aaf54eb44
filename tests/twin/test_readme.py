"""The README's commands, as they stand there, in a fresh clone with a state of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from model.merge import merged
from model.secrets import SECRETS
from tests.checkout import CHECKOUT
from tests.twin.conftest import PATHS, heal
from tests.twin.readme import commands
from tests.twin.stack import Stack
from twin import application, stack_file
from twin import images as base_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Questions that a person answers at the terminal.
ANSWERS = {"PULUMI_OPTION_YES": "true", "PULUMI_OPTION_NON_INTERACTIVE": "true"}
TYPING_S = 1500


@pytest.fixture
def newcomer(deployed: Stack, tmp_path: Path, twin_environment: dict[str, str]) -> Iterator[Stack]:
    """A clone as somebody has it who wrote their own endpoints into the stack file, and no stack yet.

    Their machine is the twin's, as `twin env` makes it; backend and passphrase are what Deploy asks for.
    """
    gone = deployed.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone
    folder, state = tmp_path / "clone", tmp_path / "state"
    state.mkdir()
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(folder)], check=True, timeout=60)
    images = {**application.digests(PATHS), **base_images.digests(PATHS, *base_images.MONITORING)}
    document = yaml.safe_load((folder / "Pulumi.staging.yaml").read_text())
    document["config"] = merged(document["config"], stack_file.overlay(PATHS, images))
    (folder / "Pulumi.staging.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    given = stack_file.given_secrets(PATHS)
    variables = [f"{spec.variable}={given[spec.key]}" for spec in SECRETS if spec.key in given]
    (folder / "backend").mkdir()
    (folder / "backend" / ".env.staging").write_text("\n".join(variables) + "\n")
    own = {**twin_environment, **ANSWERS, "PULUMI_BACKEND_URL": f"file://{state}"}
    own.pop("PULUMI_OPTION_CONFIG_FILE")
    stack = Stack(folder, own)
    yield stack
    stack.run("pulumi", "destroy", "-s", "staging")
    heal(deployed)


def test_a_newcomer_types_the_commands_below_deploy_and_ends_with_green_checks(newcomer: Stack) -> None:
    typed = commands("Deploy")
    assert typed[0] == "pulumi login"
    assert typed[-1] == ".venv/bin/ops checks"
    # One shell, as at a terminal: what is exported counts for what follows. `-v` shows each line as it is
    # typed, so that a failure says where; `-x` would show values.
    done = newcomer.run("bash", "-ev", "-c", "\n".join(typed), timeout=TYPING_S)
    assert done.code == 0, done
    assert "PASSED" in done.output
    assert newcomer.kubectl("get", "deployment", "backend")
