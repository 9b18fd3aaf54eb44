"""The application as processes on this machine, without a cluster: what `ops checks` is tried on."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

import redis

from model.checks import ChecksFile, render
from ops import cli
from tests.checkout import CHECKOUT
from tests.checks.ports import await_port, free_port
from twin import secrets  # noqa: TC001 - a dataclass holds it

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKLOAD = CHECKOUT / "twin" / "workload"
PUBLIC_SUPABASE = "https://staging.supabase.co"


@dataclass(frozen=True)
class Run:
    """One run of `ops checks`: its exit code, its result, and what stood on standard error."""

    code: int
    result: dict[str, Any]
    err: str

    @property
    def red(self) -> dict[str, str]:
        """The reason of every check that did not pass, by name."""
        return {
            check["name"]: check["reason"] for check in self.result["checks"] if check["verdict"] != "passed"
        }


@dataclass
class Bench:
    """Processes and where they answer. Use it as a context: it ends what it started."""

    folder: Path
    known: secrets.Secrets
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        file = self.folder / "secrets.json"
        file.write_text(self.known.model_dump_json())
        self.start("redis", "redis-server", "--port", "{port}", "--requirepass", self.known.redis_password,
                   "--save", "", "--bind", "127.0.0.1")  # fmt: skip
        for name in ("openai", "supabase_auth"):
            self.start(name, sys.executable, "-m", "tests.checks.serve_standin", name, str(file), "{port}")
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.stop(name)

    def start(self, name: str, *command: str, place: Path = CHECKOUT, **environment: str) -> int:
        """Start a process and wait until it answers; its port, which `{port}` in the command becomes."""
        port = self.ports[name] = free_port()
        argv = [part.replace("{port}", str(port)) for part in command]
        variables = {"PATH": os.environ["PATH"], "PORT": str(port), **environment}
        log = (self.folder / f"{name}.log").open("wb")
        with log:
            self.processes[name] = subprocess.Popen(
                argv, cwd=place, env=variables, stdout=log, stderr=subprocess.STDOUT
            )
        await_port(port, self.processes[name])
        return port

    def stop(self, name: str) -> None:
        """End one process."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)

    def url(self, name: str) -> str:
        """Where a process answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start_backend(self, name: str, database_url: str, **other: str) -> str:
        """Start a backend with the bench's services; its address. `other` are further variables."""
        environment = {**self.application(database_url), **other}
        self.start(name, sys.executable, "-m", "app", place=WORKLOAD / "backend", **environment)
        return self.url(name)

    def application(self, database_url: str) -> dict[str, str]:
        """The variables of the backend and of the jobs."""
        return {
            "DATABASE_URL": database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.ports['redis']}",
            "REDIS_PASSWORD": self.known.redis_password,
            "JWT_SECRET": self.known.jwt_secret,
            "OPENAI_API_KEY": self.known.openai_key,
            "OPENAI_BASE_URL": f"{self.url('openai')}/v1",
            "LOG_LEVEL": "WARNING",
        }

    def job(self, name: str, database_url: str) -> subprocess.CompletedProcess[bytes]:
        """Run a background job once."""
        return subprocess.run(
            [sys.executable, "-m", "jobs", name], cwd=WORKLOAD / "backend", check=False, timeout=60,
            env={"PATH": os.environ["PATH"], **self.application(database_url)}, capture_output=True,
        )  # fmt: skip

    def ended(self, module: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run a module to its end, without any variable of the bench."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False, timeout=60,
            env={"PATH": os.environ["PATH"]}, capture_output=True,
        )  # fmt: skip

    def build_page(self) -> Path:
        """The frontend's folder, built anew for this bench, to be served or to be broken."""
        folder = self.folder / "frontend"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(WORKLOAD / "frontend", folder)
        public = {
            "NEXT_PUBLIC_API_URL": "https://localhost",
            "NEXT_PUBLIC_SUPABASE_URL": PUBLIC_SUPABASE,
            "NEXT_PUBLIC_SUPABASE_ANON_KEY": self.known.supabase_key,
            "NEXT_PUBLIC_ENVIRONMENT": "staging",
        }
        subprocess.run([sys.executable, "build.py"], cwd=folder, env=public, check=True, timeout=60)
        return folder

    def start_frontend(self) -> str:
        """Serve the built page; its address. The files are read at every request."""
        self.start("frontend", sys.executable, "-m", "uvicorn", "server:app", "--host", "127.0.0.1",
                   "--port", "{port}", "--log-level", "error", place=self.build_page())  # fmt: skip
        return self.url("frontend")

    def forget(self) -> None:
        """Empty the cache, so that one run does not help the next."""
        with contextlib.closing(
            redis.Redis(port=self.ports["redis"], password=self.known.redis_password)
        ) as cache:
            cache.flushall()

    def credentials(self, database_url: str) -> dict[str, str]:
        """What `ops checks` needs to ask everything."""
        first, other = self.known.users
        return {
            "SUPABASE_KEY": self.known.supabase_key,
            "SUPABASE_SERVICE_KEY": self.known.supabase_service_key,
            "ORKA_CHECK_EMAIL": first.email,
            "ORKA_CHECK_PASSWORD": first.password,
            "ORKA_CHECK_OTHER_EMAIL": other.email,
            "ORKA_CHECK_OTHER_PASSWORD": other.password,
            "ORKA_CHECK_JWT_SECRET": self.known.jwt_secret,
            "ORKA_CHECK_DATABASE_URL": database_url,
        }

    def checks(self, checks: ChecksFile, environment: Mapping[str, str], *arguments: str) -> Run:
        """Run `ops checks --from-file … --json` in this process; its result."""
        file = self.folder / "checks.json"
        file.write_text(render(checks))
        out, err = io.StringIO(), io.StringIO()
        variables = {**environment, "TERMINATION_LOG": str(self.folder / "termination")}
        bounds = ("--attempts", "2", "--pause", "0.1", "--timeout", "8")
        with (
            patch.dict(os.environ, variables),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = cli.main(["checks", "--from-file", str(file), "--json", *bounds, *arguments])
        text = out.getvalue()
        return Run(code, json.loads(text) if text else {}, err.getvalue())
