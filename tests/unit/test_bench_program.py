"""What `make bench-program` compares registers the same; else the comparison would say nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from benchmarks.program import process
from benchmarks.program.engine import Seen
from benchmarks.program.recording import recording, registered
from benchmarks.program.variants import OURS, ready
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.program.process import Run
    from tests.unit.harness import Run as UnderMocks


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    variants = ready(tmp_path_factory.mktemp("recording"))
    return {name: process.run(one.program, **one.variables) for name, one in variants.items()}


@pytest.mark.parametrize("name", ["untrimmed", "dicts"])
def test_every_resource_its_inputs_dependencies_and_outputs_are_the_same(
    runs: dict[str, Run], name: str
) -> None:
    ours, other = runs[OURS].seen, runs[name].seen
    assert registered(other) == registered(ours)
    assert recording(other)["exports"] == recording(ours)["exports"]


def test_it_is_what_the_stack_registers_and_the_empty_program_is_empty(
    runs: dict[str, Run], run: UnderMocks
) -> None:
    under_mocks = sorted((one.type, one.name) for one in run.resources)
    assert sorted((one.type, one.name) for one in runs[OURS].seen.registered) == under_mocks
    assert registered(runs["empty"].seen) == {}


def test_a_resource_that_differs_would_be_seen(runs: dict[str, Run]) -> None:
    ours = runs[OURS].seen
    other = Seen(ours.registered[:-1], ours.urns[:-1], dict(ours.completed))
    assert registered(other) != registered(ours)


def test_without_the_trimming_the_engine_is_told_what_nobody_reads(runs: dict[str, Run]) -> None:
    assert runs[OURS].seen.messages < 10
    assert runs["untrimmed"].seen.messages > 4 * len(runs["untrimmed"].seen.registered)


def test_who_wants_to_read_it_is_told() -> None:
    told = process.run(CHECKOUT, PULUMI_OPTION_DEBUG="true")
    assert told.seen.messages > 4 * len(told.seen.registered)


def test_a_program_that_fails_is_no_measure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise ValueError('no such thing')\n")
    with pytest.raises(
        RuntimeError, match=re.compile("broken.py: ended with 32: .*no such thing", re.DOTALL)
    ):
        process.run(broken)
