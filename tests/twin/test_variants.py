"""Each broken release turns exactly its checks red, from the shell and in the gate; a healthy one none."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_client

from tests.broken_releases import ROW
from tests.checks.pairs import pairs_for
from tests.checks.variants import VARIANTS
from tests.twin.conftest import PATHS, heal
from tests.twin.distorted import UNDONE, changed_backend, distorted
from tests.twin.false_alarms import BY_CIRCUMSTANCE, false_alarms, red
from tests.twin.machine import apply
from tests.twin.relabelled_image import backend_digest
from tests.twin.variants import BROKEN, GATE, NOT_OF_A_CLUSTER, Broken
from twin import redis, secrets
from twin.deploy import check_user
from twin.environment import HOSTS
from twin.paths import BRIDGE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.twin.stack import Stack
    from tests.twin.variants import Pods
    from twin.certificates import Pair

PODS_S = 90
WHOLE_RUN_S = 30
RUNS, RUNS_OF_SOAK = 3, 20


def _checks(stack: Stack) -> dict[str, Any]:
    _forget_embeddings()
    run = stack.run("bash", "-c", ".venv/bin/ops checks --json 2>/dev/null")
    found: dict[str, Any] = json.loads(run.output)
    return found


def _as_user(stack: Stack, more: Mapping[str, str] | None = None) -> Stack:
    return type(stack)(stack.folder, {**stack.environment, **check_user(PATHS), **(more or {})})


def _forget_embeddings() -> None:
    """The search must ask OpenAI, and not remember what a run before was told."""
    known = redis_client.Redis(
        host=BRIDGE_ADDRESS, port=redis.PORT, password=secrets.of(PATHS).redis_password
    )
    known.flushall()
    known.close()


def _pods(stack: Stack) -> Pods:
    found: Pods = json.loads(
        stack.kubectl("get", "pods", "--selector", "app.kubernetes.io/name=backend", "--output", "json")
    )["items"]
    return found


def _wait(stack: Stack, until: Callable[[Pods], bool]) -> None:
    ends = time.monotonic() + PODS_S
    while not until(_pods(stack)):
        assert time.monotonic() < ends, _pods(stack)
        time.sleep(0.5)


@contextlib.contextmanager
def _stale_pod(stack: Stack) -> Iterator[None]:
    """A pod of another image that nothing took away: it answers like the others."""
    template = stack.manifest("deployment", "backend")["spec"]["template"]
    digest = backend_digest("stale")
    container = template["spec"]["containers"][0]
    container["image"] = f"{container['image'].partition('@')[0]}@{digest}"
    metadata = {"name": "backend-stale", "namespace": "staging", "labels": template["metadata"]["labels"]}
    apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    try:
        stack.kubectl("wait", "--for=condition=ready", "pod/backend-stale", "--timeout=90s")
        yield
    finally:
        stack.kubectl("delete", "pod", "backend-stale")


@contextlib.contextmanager
def _broken(
    stack: Stack, broken: Broken, pairs: tuple[Path, dict[str, Pair]], folder: Path
) -> Iterator[Mapping[str, str]]:
    """The twin with this release; what is laid over the variables of `ops checks`."""
    with contextlib.ExitStack() as undo:
        user = broken.user
        if broken.kubectl:
            undo.callback(heal, stack)
        if broken.env:
            undo.enter_context(changed_backend(stack, broken.env, settles=broken.settles))
        if broken.stale:
            undo.enter_context(_stale_pod(stack))
        for command in broken.undo:
            undo.callback(stack.kubectl, *command)
        for command in broken.kubectl:
            stack.kubectl(*command)
        if broken.bench:
            user = undo.enter_context(distorted(stack, broken.bench, pairs, folder))
        _wait(stack, broken.until)
        yield user


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Pair]]:
    """The authority and certificates of every fitness, for the twin's hosts."""
    return pairs_for(tmp_path_factory.mktemp("pki"), HOSTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some of each matrix in every run, all of them under `--soak`."""
    soak = metafunc.config.getoption("--soak")
    if "broken" in metafunc.fixturenames:
        some = [broken for broken in BROKEN if soak or broken.normal]
        metafunc.parametrize("broken", some, ids=[broken.name for broken in some])
    if "setting" in metafunc.fixturenames:
        metafunc.parametrize(("setting", "value", "reason"), GATE if soak else GATE[:2])


def test_a_broken_release_turns_exactly_its_checks_red(
    deployed: Stack,
    broken: Broken,
    pairs: tuple[Path, dict[str, Pair]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    with _broken(deployed, broken, pairs, tmp_path) as user:
        found = _checks(_as_user(deployed, user))
    reasons = red(found)
    record_property(ROW, (broken.name, found["verdict"], ", ".join(sorted(reasons)) or "none"))
    assert sorted(reasons.keys() - (BY_CIRCUMSTANCE - broken.red.keys())) == sorted(broken.red), reasons
    for name, part in broken.red.items():
        assert part in reasons[name], (name, reasons[name])
    assert found["verdict"] == broken.verdict


def test_the_gate_fails_the_up_with_the_reason_and_the_next_one_passes(
    stack: Stack, setting: str, value: str, reason: str
) -> None:
    good = PATHS.stack_file.read_text()
    stack.set(f"orka-ppm:{setting}", value)
    failed = stack.up()
    assert failed.code != 0
    assert reason in failed.output, failed
    PATHS.stack_file.write_text(good)
    healed = stack.up()
    assert healed.code == 0, healed


def _burn(ends: float) -> None:
    while time.monotonic() < ends:
        pass


def test_a_healthy_release_is_never_red_while_the_machine_is_busy(
    deployed: Stack, request: pytest.FixtureRequest
) -> None:
    runs = RUNS_OF_SOAK if request.config.getoption("--soak") else RUNS
    asker = _as_user(deployed)
    for _ in range(runs):
        busy = [multiprocessing.Process(target=_burn, args=(time.monotonic() + 60,)) for _ in range(2)]
        for process in busy:
            process.start()
        try:
            found = _checks(asker)
        finally:
            for process in busy:
                process.terminate()
                process.join()
        assert found["verdict"] == "passed", found
        assert false_alarms(found) == {}


def test_a_whole_run_on_the_healthy_twin_takes_half_a_minute_at_most(deployed: Stack) -> None:
    started = time.monotonic()
    found = _checks(_as_user(deployed))
    took = time.monotonic() - started
    print(f"ops checks: {took:.1f} s, {len(found['checks'])} checks")
    assert found["verdict"] == "passed", found
    assert false_alarms(found) == {}
    assert "browser" in {check["name"] for check in found["checks"]}
    assert took <= WHOLE_RUN_S


def test_every_broken_release_of_the_bench_is_one_of_the_twin_or_says_why_not() -> None:
    names = [broken.name for broken in BROKEN]
    assert len(set(names)) == len(names)
    assert {variant.name for variant in VARIANTS} - set(names) == NOT_OF_A_CLUSTER.keys()
    assert {variant.name for variant in VARIANTS if variant.sql} == UNDONE.keys()
