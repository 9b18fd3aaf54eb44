"""A stand-in for the engine: takes every registration at once, answers as if it were done, and keeps it.

With it the program's process is measured alone: no CLI, no cluster, no provider.
"""

from __future__ import annotations

import threading
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 64
KIB_PER_MIB = 1024
# What the real engine says that it can; the SDK asks once and serialises accordingly.
FEATURES = (
    "SECRETS", "RESOURCE_REFERENCES", "OUTPUT_VALUES", "ALIAS_SPECS", "DELETED_WITH", "REPLACE_WITH",
    "TRANSFORMS", "INVOKE_TRANSFORMS", "PARAMETERIZATION", "RESOURCE_HOOKS", "ERROR_HOOKS",
)  # fmt: skip


@dataclass
class Seen:
    """What one run of a program told the engine, and what its process held when it was done."""

    registered: list[resource_pb2.RegisterResourceRequest] = field(default_factory=list)
    urns: list[str] = field(default_factory=list)
    completed: dict[str, Any] = field(default_factory=dict)
    messages: int = 0
    errors: list[str] = field(default_factory=list)
    memory_kib: dict[str, int] = field(default_factory=dict)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Registers."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._lock = threading.Lock()
        self.pid = 0

    def GetDeploymentInfo(self, _request: Any, _context: Any) -> resource_pb2.DeploymentInfo:  # noqa: N802
        """Every feature that this SDK knows."""
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[
                resource_pb2.ResourceMonitorFeature.Value(f"RESOURCE_MONITOR_FEATURE_{name}")
                for name in FEATURES
            ]
        )

    def SupportsFeature(self, _request: Any, _context: Any) -> resource_pb2.SupportsFeatureResponse:  # noqa: N802
        """The same, asked one by one."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterPackage(self, request: Any, _context: Any) -> resource_pb2.RegisterPackageResponse:  # noqa: N802
        """A provider's package."""
        return resource_pb2.RegisterPackageResponse(ref=request.name)

    def RegisterResource(self, request: Any, _context: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Keep it, and answer with its inputs and what a provider would have added."""
        urn = urn_of(request)
        with self._lock:
            self._seen.registered.append(request)
            self._seen.urns.append(urn)
        done = resource_pb2.RegisterResourceResponse(
            urn=urn, id=f"{request.name}-id" if request.custom else ""
        )
        done.object.CopyFrom(request.object)
        json_format.ParseDict(added(request.type, request.name, done.object), done.object)
        return done

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Of components and of the stack."""
        with self._lock:
            self._seen.completed[request.urn] = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802
        """The program has nothing further to register: now its memory is at its highest."""
        self._seen.memory_kib = memory(self.pid)
        return empty_pb2.Empty()


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes messages."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._root = ""

    def Log(self, request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Counted; errors are kept, so that a program that failed is not taken for a fast one."""
        self._seen.messages += 1
        if request.severity == engine_pb2.ERROR:
            self._seen.errors.append(request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, _request: Any, _context: Any) -> engine_pb2.GetRootResourceResponse:  # noqa: N802
        """The stack."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, _context: Any) -> engine_pb2.SetRootResourceResponse:  # noqa: N802
        """The same."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


def urn_of(request: Any) -> str:
    """As the engine composes it: the types of the parents, the own one, the name."""
    parent = request.parent.split("::")[2] if request.parent else ""
    above = "" if parent in {"", "pulumi:pulumi:Stack"} else f"{parent}$"
    return f"urn:pulumi:staging::orka-ppm::{above}{request.type}::{request.name}"


def added(kind: str, name: str, inputs: Any) -> dict[str, Any]:
    """The outputs that only a provider knows, as JSON beside the inputs."""
    found = json_format.MessageToDict(inputs)
    if kind.startswith("kubernetes:") and "metadata" in found:
        found["metadata"] = {"name": f"{name}-auto", **found["metadata"], "generation": 1}
    if kind.endswith(":RandomPassword"):
        found["result"] = f"generated-{name}"
    return found


def memory(pid: int) -> dict[str, int]:
    """The most a process ever held (resident), and its proportional share now, in KiB."""
    folder = Path(f"/proc/{pid}")
    resident = _line(folder / "status", "VmHWM:")
    return {"resident": resident, "proportional": _line(folder / "smaps_rollup", "Pss:")}


def _line(file: Path, key: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(key))


@contextmanager
def serving(seen: Seen) -> Iterator[tuple[str, Monitor]]:
    """Both services on one port of loopback; the address, and the monitor, which is told the process id."""
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS))
    monitor = Monitor(seen)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(Engine(seen), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", monitor
    finally:
        server.stop(None)
