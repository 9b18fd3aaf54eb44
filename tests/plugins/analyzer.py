"""Starts the policy pack as the engine does, by the language host, and asks it over gRPC."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, language_pb2, language_pb2_grpc

from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PACK = CHECKOUT / "policy"
START_S = 60


def address(port: str | bytes) -> str:
    """Where a plugin listens that printed this port."""
    return f"127.0.0.1:{int(port)}"


@contextmanager
def language_host() -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    """The language host in a process of its own."""
    host = subprocess.Popen(
        [sys.executable, "-m", "twin.plugins.langhost"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert host.stdout is not None
    try:
        with grpc.insecure_channel(address(host.stdout.readline())) as channel:
            yield language_pb2_grpc.LanguageRuntimeStub(channel)
    finally:
        host.terminate()
        host.wait(START_S)


def started(host: language_pb2_grpc.LanguageRuntimeStub, pack: Path, virtualenv: str) -> Any:
    """The call that runs the pack: a stream of what it says, until it is cancelled."""
    options = struct_pb2.Struct()
    options.update({"virtualenv": virtualenv})
    info = language_pb2.ProgramInfo(
        root_directory=str(pack), program_directory=str(pack), entry_point=".", options=options
    )
    request = language_pb2.RunPluginRequest(pwd=str(CHECKOUT), info=info, kind="analyzer", args=["engine"])
    return host.RunPlugin(request, timeout=START_S)


@contextmanager
def analyzer() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack of this checkout, ready to be asked."""
    with language_host() as host:
        call = started(host, PACK, ".venv")
        port = said = b""
        while not port.endswith(b"\n"):
            response = next(call)
            assert not response.HasField("exitcode"), said
            port += response.stdout
            said += response.stderr
        with grpc.insecure_channel(address(port)) as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
        call.cancel()


def one(kind: str, name: str, manifest: Mapping[str, Any]) -> analyzer_pb2.AnalyzeRequest:
    """The question about one resource."""
    return analyzer_pb2.AnalyzeRequest(
        type=kind,
        name=name,
        urn=f"urn:pulumi:staging::orka-ppm::{kind}::{name}",
        properties=json_format.ParseDict(dict(manifest), struct_pb2.Struct()),
        options=analyzer_pb2.AnalyzerResourceOptions(),
    )


def all_of(questions: list[analyzer_pb2.AnalyzeRequest]) -> analyzer_pb2.AnalyzeStackRequest:
    """The question about all of them together."""
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=each.type, name=each.name, urn=each.urn, properties=each.properties, options=each.options
            )
            for each in questions
        ]
    )
