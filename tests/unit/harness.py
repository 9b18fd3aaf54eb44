"""Runs the whole program under Pulumi's mocks and keeps what it registered. The one place that knows how."""

from __future__ import annotations

import asyncio
import gc
import json
import runpy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi.runtime
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import wait_for_rpcs

from tests.checkout import CHECKOUT
from tests.unit.given import SECRETS, complete

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGUN = "2026-01-16T02:00:00Z"
SECRET_MARK = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True)
class Registered:
    """One resource as the engine would have been told."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    dependencies: frozenset[str]
    custom: bool
    timeouts: dict[str, str]
    retained: bool
    protected: bool
    left_alone: tuple[str, ...]


@dataclass
class Run:
    """What one run of the program registered and exported."""

    resources: list[Registered] = field(default_factory=list)
    completed: set[str] = field(default_factory=set)
    outputs: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None

    def one(self, kind: str, name: str) -> Registered:
        """The resource whose type ends with `kind` and whose logical name is `name`."""
        found = [r for r in self.resources if r.type.rpartition(":")[2] == kind and r.name == name]
        assert len(found) == 1, f"{kind} {name}: {[(r.type, r.name) for r in self.resources]}"
        return found[0]

    def of(self, kind: str) -> list[Registered]:
        """All resources of a kind."""
        return [r for r in self.resources if r.type.rpartition(":")[2] == kind]


class Mocks(pulumi.runtime.Mocks):
    """Makes every resource at once; of its outputs it makes up what the program reads."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Return its id and outputs."""
        outputs = dict(args.inputs)
        if args.typ.startswith("kubernetes:"):
            metadata = dict(outputs.get("metadata") or {})
            metadata.setdefault("name", f"{args.name}-auto")
            outputs["metadata"] = {**metadata, "generation": 1}
        if args.typ == "kubernetes:batch/v1:Job":
            outputs["status"] = {"startTime": BEGUN}
        if args.typ == "random:index/randomPassword:RandomPassword":
            outputs["result"] = f"canary-generated-{args.name}"
        if args.typ == "docker:index/image:Image":
            outputs["repoDigest"] = f"{args.name}@sha256:{'d' * 64}"
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        """Refuse: what is asked of the outside makes a preview depend on it."""
        raise AssertionError(f"the program calls out: {args.token}")


class _RecordingMonitor(MockMonitor):
    """Sees options that mocks hide: parent, dependencies, time limits, protection."""

    def __init__(self, mocks: pulumi.runtime.Mocks, run: Run) -> None:
        super().__init__(mocks)
        self._run = run

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        timeouts = request.customTimeouts
        self._run.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                inputs=_whole_numbers(rpc.deserialize_properties(request.object, keep_unknowns=True)),
                parent=request.parent,
                dependencies=frozenset(request.dependencies),
                custom=request.custom,
                timeouts={"create": timeouts.create, "update": timeouts.update},
                retained=request.retainOnDelete,
                protected=request.protect,
                left_alone=tuple(request.ignoreChanges),
            )
        )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self._run.completed.add(request.urn)
        return super().RegisterResourceOutputs(request)


def manifests(run: Run) -> dict[str, dict[str, Any]]:
    """Every Kubernetes manifest, by kind and logical name, secret values as the API server would get them."""
    return {
        f"{resource.type.rpartition(':')[2].lower()}-{resource.name}": _open(resource.inputs)
        for resource in run.resources
        if resource.type.startswith("kubernetes:")
    }


def _open(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return _open(value["value"])
        return {key: _open(item) for key, item in value.items()}
    return [_open(item) for item in value] if isinstance(value, list) else value


async def _program() -> None:
    runpy.run_path(str(CHECKOUT), run_name="__main__")
    await wait_for_rpcs()


def _whole_numbers(value: Any) -> Any:
    """Mocks see every number as a float."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def run_program(config: Mapping[str, Any] | None = None, secrets: Mapping[str, str] | None = None) -> Run:
    """Run `__main__.py` with this configuration, on a fresh event loop."""
    groups = complete() if config is None else config
    given = SECRETS if secrets is None else secrets
    values = {
        f"orka-ppm:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in groups.items()
    }
    values |= {f"orka-ppm:{key}": value for key, value in given.items()}
    run = Run()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # What a run before left undone, because its settings were refused, belongs to a loop that is closed.
    SETTINGS.outputs.clear()
    set_root_resource(None)
    mocks = Mocks()
    pulumi.runtime.set_mocks(
        mocks, project="orka-ppm", stack="staging", preview=False, monitor=_RecordingMonitor(mocks, run)
    )
    pulumi.runtime.set_all_config(values, [f"orka-ppm:{key}" for key in given])
    exported: dict[str, Any] = {}
    original = pulumi.export
    pulumi.export = exported.__setitem__
    debug = pulumi.log.debug
    try:
        loop.run_until_complete(_program())
        run.outputs = {
            name: loop.run_until_complete(pulumi.Output.from_input(value).future())
            for name, value in exported.items()
        }
    except pulumi.RunError as error:
        run.error = error
    finally:
        pulumi.export = original
        # What the program does to its own process, which this is not.
        pulumi.log.debug = debug
        gc.enable()
        # Where a resource failed, others still wait for it.
        while left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
    return run
