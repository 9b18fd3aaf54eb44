"""Says before a `pulumi preview` whether the API server will validate it.

Pulumi asks the server by a dry run, which needs the rights to create and to patch. Where they are
missing it falls back without a word, and where the server cannot be reached a fresh stack's preview
still ends green. Both are said here, and an unreachable server is a failure.

Exit codes: 0 reachable (validated or not: the line says which), 1 the API server was not reached.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from ops.cluster.kinds import OPERATORS, REGISTERED

TIMEOUT_S = 30
NAMESPACE = "staging"
STACK_FILE = Path(__file__).parents[1] / "Pulumi.staging.yaml"
VERBS = ("create", "patch")


def _kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["kubectl", f"--request-timeout={TIMEOUT_S}s", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S * 2, check=False)


def reachable() -> str | None:
    """None when the API server answers, else the reason it gave."""
    answer = _kubectl("get", "--raw", "/version")
    lines = answer.stderr.strip().splitlines() or ["no answer"]
    return None if answer.returncode == 0 else lines[-1]


def kinds(stack_file: Path = STACK_FILE) -> tuple[str, ...]:
    """The kinds that a stack file's program may register."""
    config = yaml.safe_load(stack_file.read_text())["config"]
    operator = config.get("orka-ppm:monitoring", {}).get("mode") == "operator"
    return (*REGISTERED, *OPERATORS) if operator else REGISTERED


def missing_rights(namespace: str = NAMESPACE) -> list[str]:
    """The rights a server-side dry run needs and this user lacks, such as `patch deployments.apps`."""
    return [
        f"{verb} {kind}"
        for kind in kinds()
        for verb in VERBS
        if _kubectl("auth", "can-i", verb, kind, "--namespace", namespace).stdout.strip() != "yes"
    ]


def main() -> int:
    """Print the verdict, and into the workflow's summary where there is one."""
    reason = reachable()
    if reason is not None:
        _report(f"preview: the API server was not reached, so nothing could be validated: {reason}")
        return 1
    missing = missing_rights()
    if missing:
        _report(f"server-validated: no. This user may not {', '.join(missing)} in namespace {NAMESPACE}.")
    else:
        _report("server-validated: yes. Every create and update is checked by the API server's dry run.")
    return 0


def _report(line: str) -> None:
    print(line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            file.write(line + "\n\n")


if __name__ == "__main__":
    sys.exit(main())
