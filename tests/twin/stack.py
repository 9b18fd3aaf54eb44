"""Runs the real `pulumi` against the twin, as a person would, and reads what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

COMMAND_TIMEOUT_S = 600
STATUS_TRIES = 3


@dataclass(frozen=True)
class Result:
    """What one command said and how it ended."""

    code: int
    output: str
    seconds: float

    def __str__(self) -> str:
        """The output, for a failing assertion."""
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.output}"


@dataclass
class Stack:
    """One folder with the program in it, and the environment `twin env` gives."""

    folder: Path = CHECKOUT
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str, stdin: str | None = None, timeout: float = COMMAND_TIMEOUT_S) -> Result:
        """Any command in the stack's folder, output and errors together."""
        started = time.monotonic()
        done = subprocess.run(
            list(command), cwd=self.folder, env=dict(self.environment), input=stdin, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, time.monotonic() - started)

    def pulumi(self, *arguments: str, **options: Any) -> Result:
        """`pulumi … -s staging`, without colours and questions."""
        return self.run(
            "pulumi", *arguments, "-s", "staging", "--non-interactive", "--color", "never", **options
        )

    def up(self, *arguments: str) -> Result:
        """`pulumi up --yes`."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments)

    def preview(self, *arguments: str) -> Result:
        """`pulumi preview`."""
        return self.pulumi("preview", *arguments)

    def unchanged(self, command: str) -> Result:
        """`up` or `preview` with `--expect-no-changes`, right after an `up`.

        A refresh shows what controllers note in a status too (when a schedule last ran, what of a quota is
        used). What they note in between is tried again; a change of ours is there every time.
        """
        verb = {"up": self.up, "preview": self.preview}[command]
        for _ in range(STATUS_TRIES):
            self.up()
            result = verb("--expect-no-changes")
            if result.code == 0:
                break
        return result

    def refresh(self, *arguments: str) -> Result:
        """`pulumi refresh --yes`."""
        return self.pulumi("refresh", "--yes", "--skip-preview", *arguments)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        result = self.pulumi("stack", "output", "--json")
        assert result.code == 0, result
        return dict(json.loads(result.output))

    def set(self, key: str, value: str) -> None:
        """`pulumi config set --path KEY`, the value by standard input."""
        result = self.pulumi("config", "set", "--path", key, stdin=value)
        assert result.code == 0, result

    def drift(self) -> dict[str, list[str]]:
        """What `ops status` calls drift: the fields by object and by who set them."""
        result = self.run("bash", "-c", ".venv/bin/ops status --json 2>/dev/null")
        assert result.output.startswith("{"), result
        found = json.loads(result.output)["drift"]
        return {f"{one['object']} by {one['manager']}": one["fields"] for one in found}

    def kubectl(self, *arguments: str) -> str:
        """`kubectl` in the staging namespace; its output."""
        result = self.run("kubectl", "--namespace", "staging", *arguments, timeout=120)
        assert result.code == 0, result
        return result.output

    def manifest(self, *names: str) -> dict[str, Any]:
        """One object of the cluster as JSON."""
        return dict(json.loads(self.kubectl("get", *names, "--output", "json")))

    def interrupted_up(
        self,
        stage: Callable[[dict[str, Any]], bool],
        number: signal.Signals,
        log: Path,
        *,
        settle_s: float = 0.0,
        wait_s: float = 300,
    ) -> Result:
        """An `up` that is sent a signal `settle_s` after its event log showed the stage.

        Raises:
            AssertionError: the stage was never seen.
        """
        log.unlink(missing_ok=True)
        started = time.monotonic()
        command = [
            "pulumi", "up", "--yes", "--skip-preview", "-s", "staging", "--non-interactive",
            "--color", "never", "--event-log", str(log),
        ]  # fmt: skip
        # The engine has its event log behind this variable.
        variables = {**self.environment, "PULUMI_DEBUG_COMMANDS": "true"}
        process = subprocess.Popen(
            command, cwd=self.folder, env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        seen = False
        while process.poll() is None and time.monotonic() - started < wait_s:
            if any(stage(event) for event in events(log)):
                seen = True
                time.sleep(settle_s)
                if number is signal.SIGKILL:
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)
                break
            time.sleep(0.1)
        output, _ = process.communicate(timeout=wait_s)
        assert seen, f"the stage was never seen; exit {process.returncode}\n{output}"
        return Result(process.returncode, output, time.monotonic() - started)


def events(log: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of an event log that is still being written."""
    if not log.exists():
        return
    for line in log.read_text(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def begins(kind: str, name: str) -> Callable[[dict[str, Any]], bool]:
    """A stage: the engine begins to create or update the resource of that kind and logical name."""

    def seen(event: dict[str, Any]) -> bool:
        metadata = (event.get("resourcePreEvent") or {}).get("metadata") or {}
        urn = str(metadata.get("urn", ""))
        return (
            metadata.get("op") in {"create", "update", "create-replacement"}
            and f"{kind}::" in urn
            and urn.endswith(f"::{name}")
        )

    return seen
