"""What the deployment relies on in the kubernetes plugin, seen with whichever runs: official or stand-in."""

from __future__ import annotations

import base64
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.checkout import CHECKOUT
from tests.twin.stack import Stack
from twin.environment import environment
from twin.paths import default

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = CHECKOUT / "tests" / "twin" / "programs" / "cases"
WORD = "canary-of-the-plugin-cases"
# The plugin moves a Secret's `stringData` to `data`: so the state and the cluster hold it.
ENCODED = base64.b64encode(WORD.encode()).decode()


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The program with a state of its own; nothing but its namespace is there at first."""
    base: Path = tmp_path_factory.mktemp("cases")
    folder = base / "program"
    shutil.copytree(PROGRAM, folder)
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    (base / "state").mkdir()
    variables = {**os.environ, **environment(default()), "PULUMI_BACKEND_URL": f"file://{base / 'state'}"}
    variables.pop("PULUMI_OPTION_CONFIG_FILE")
    stack = Stack(folder, variables)
    assert stack.run("pulumi", "stack", "init", "staging", "--non-interactive").code == 0
    stack.set("cases:image", "orka.twin/busybox:1")
    up = stack.up()
    assert up.code == 0, up
    yield stack
    stack.set("cases:cases", "")
    gone = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone


def _kubectl(stack: Stack, *arguments: str) -> str:
    done = stack.run("kubectl", "--namespace", "cases", *arguments)
    assert done.code == 0, done
    return done.output


def test_a_failed_job_shows_its_last_words_and_is_not_run_again_unless_it_says_so(cases: Stack) -> None:
    cases.set("cases:cases", "job")
    cases.set("cases:script", "echo 'the cause of it' > /dev/termination-log; exit 3")
    failed = cases.up()
    assert failed.code != 0
    assert "[Error] the cause of it" in failed.output, failed
    first = _kubectl(cases, "get", "jobs", "--output", "name")
    again = cases.up()
    assert again.code != 0, "a failed Job counted as done"
    assert _kubectl(cases, "get", "jobs", "--output", "name") == first

    cases.set("cases:cases", "job replace-unready")
    cases.up()
    replaced = cases.up()
    assert replaced.code != 0
    assert _kubectl(cases, "get", "jobs", "--output", "name") != first
    cases.set("cases:script", "true")
    done = cases.up()
    assert done.code == 0, done


def test_create_does_not_take_over_unless_the_provider_is_told_to(cases: Stack) -> None:
    _kubectl(cases, "create", "configmap", "taken", "--from-literal=by=hand")
    cases.set("cases:cases", "taken")
    refused = cases.up()
    assert refused.code != 0
    assert 'configmaps "taken" already exists' in refused.output, refused
    cases.set("cases:take-over", "true")
    taken = cases.up()
    assert taken.code == 0, taken
    assert _kubectl(cases, "get", "configmap", "taken", "--output", "jsonpath={.data.by}") == "pulumi"
    cases.set("cases:take-over", "false")


def test_an_import_reads_what_is_there_and_changes_nothing(cases: Stack) -> None:
    _kubectl(cases, "create", "configmap", "imported", "--from-literal=by=hand")
    read = ("get", "configmap", "imported", "--output", "jsonpath={.metadata.uid}")
    before = _kubectl(cases, *read)
    cases.set("cases:cases", "imported")
    up = cases.up()
    assert up.code == 0, up
    assert "import" in up.output
    assert _kubectl(cases, *read) == before


def test_a_secret_is_marked_in_the_state_and_plain_in_the_cluster_only(cases: Stack) -> None:
    done = cases.pulumi("config", "set", "--secret", "cases:word", stdin=WORD)
    assert done.code == 0, done
    cases.set("cases:cases", "secret")
    up = cases.up("--diff")
    assert up.code == 0, up
    exported = cases.pulumi("stack", "export").output
    for form in (WORD, ENCODED):
        assert form not in up.output
        assert form not in exported
    kinds = [resource["type"] for resource in json.loads(exported)["deployment"]["resources"]]
    assert "kubernetes:core/v1:Secret" in kinds
    shown = cases.pulumi("stack", "export", "--show-secrets").output
    assert ENCODED in shown, "the scan above proves nothing"


def test_a_stateful_set_and_its_service_are_awaited(cases: Stack) -> None:
    cases.set("cases:cases", "served")
    up = cases.up()
    assert up.code == 0, up
    status = json.loads(_kubectl(cases, "get", "statefulset", "served", "--output", "json"))["status"]
    assert status["readyReplicas"] == 1
    unchanged = cases.up("--expect-no-changes")
    assert unchanged.code == 0, unchanged
