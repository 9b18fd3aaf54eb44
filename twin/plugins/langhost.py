"""The Python language host: tells the engine which plugins a program needs, and runs the program.

Only what the engine calls for a program or a policy pack with the pip toolchain: GetPluginInfo, About,
GetRequiredPackages, Run, RunPlugin, InstallDependencies and Cancel. Both run in a child process of their
own virtual environment, so that their imports never meet the host's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from twin.plugins.child_output import responses
from twin.plugins.environments import FIND_PLUGINS, python_of, virtualenv
from twin.plugins.wire import serve
from twin.toolchain.build import PULUMI_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_PROGRAM = Path(__file__).with_name("run_program.py")
# The child has told the user what is wrong; the engine need not add to it.
ALREADY_REPORTED = 32
INSTALL_TIMEOUT_S = 900


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """One engine's host; each command of the engine starts a host of its own."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """The engine's own version, with which the official host comes."""
        return plugin_pb2.PluginInfo(version=PULUMI_VERSION)

    def About(self, request: Any, _context: grpc.ServicerContext) -> language_pb2.AboutResponse:  # noqa: N802
        """Which Python runs the program."""
        python = python_of(request.info)
        version = subprocess.run(
            [python, "-c", "import platform; print(platform.python_version())"],
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout.strip()  # fmt: skip
        return language_pb2.AboutResponse(
            executable=python,
            version=version,
            metadata={"toolchain": "Pip", "toolchainVersion": metadata.version("pip"), "typechecker": "None"},
        )

    def GetRequiredPackages(  # noqa: N802
        self, request: Any, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """All installed `pulumi_*` packages that belong to a plugin, as the official host lists them."""
        done = subprocess.run(
            [python_of(request.info), "-c", FIND_PLUGINS],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        packages = [
            plugin_pb2.PackageDependency(
                name=plugin.get("name") or package.removeprefix("pulumi_"),
                kind="resource",
                version="v" + (plugin.get("version") or version).removeprefix("v"),
                server=plugin.get("server", ""),
            )
            for package, version, plugin in sorted(json.loads(done.stdout))
            if plugin.get("resource")
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def Run(self, request: Any, context: grpc.ServicerContext) -> language_pb2.RunResponse:  # noqa: N802
        """Run the program to its end; its output reaches the user through this process's own."""
        arguments = {
            "project": request.project,
            "stack": request.stack,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        program = Path(request.info.program_directory) / (request.info.entry_point or ".")
        # Configuration holds secrets: it goes through the environment, as the SDK reads it, not argv.
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "ORKA_RUN_PROGRAM": json.dumps(arguments),
        }
        # Without -P the folder of the script would come first among the places to import from.
        command = [python_of(request.info), "-u", "-P", str(RUN_PROGRAM), str(program)]
        child = subprocess.Popen(command, cwd=request.pwd or None, env=environment)
        with self._ends_with(context, child):
            code = child.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code == ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")

    def RunPlugin(  # noqa: N802
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack until the engine lets go of it; it serves by itself and prints its port first."""
        environment = os.environ | dict(pair.split("=", 1) for pair in request.env)
        program = Path(request.info.program_directory) / (request.info.entry_point or ".")
        command = [python_of(request.info), "-u", str(program), *request.args]
        child = subprocess.Popen(
            command, cwd=request.pwd or None, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with self._ends_with(context, child):
            yield from responses(child)

    def InstallDependencies(  # noqa: N802
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """`pulumi install`: make the virtual environment and fill it from `requirements.txt`."""
        directory = Path(request.info.program_directory or request.directory)
        environment = directory / virtualenv(request.info)
        commands = []
        if not (environment / "bin" / "python").exists():
            commands.append([sys.executable, "-m", "venv", str(environment)])
        commands.append(
            [str(environment / "bin" / "python"), "-m", "pip", "install", "-r", "requirements.txt"]
        )
        for command in commands:
            yield language_pb2.InstallDependenciesResponse(stdout=f"{' '.join(command)}\n".encode())
            done = subprocess.run(
                command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=INSTALL_TIMEOUT_S, check=False,
            )  # fmt: skip
            yield language_pb2.InstallDependenciesResponse(stdout=done.stdout)
            if done.returncode != 0:
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed")

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The engine lets go: end the program."""
        self.end_programs()
        return empty_pb2.Empty()

    @contextmanager
    def _ends_with(self, context: grpc.ServicerContext, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """The child ends when the call or the host does."""
        with self._lock:
            self._children.add(child)
        context.add_callback(lambda: _end(child))
        try:
            yield
        finally:
            with self._lock:
                self._children.discard(child)

    def end_programs(self) -> None:
        """End every program that still runs."""
        with self._lock:
            children = list(self._children)
        for child in children:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()


def main() -> None:
    """Serve; the engine's address is the last argument."""
    engine = sys.argv[-1] if len(sys.argv) > 1 else ""
    host = LanguageHost(engine)
    serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        at_end=host.end_programs,
    )


if __name__ == "__main__":
    main()
