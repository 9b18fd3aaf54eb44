"""Runs kubectl: bounded, its failure one sentence."""

from __future__ import annotations

import json
import subprocess
from typing import IO, Any

TIMEOUT_S = 30


class KubectlError(RuntimeError):
    """kubectl is missing, refused, or did not answer in time. The message is its last line; `said` is all."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


def run(
    arguments: list[str],
    *,
    context: str | None = None,
    timeout_s: float = TIMEOUT_S,
    stdin: str | None = None,
    to: IO[bytes] | None = None,
) -> str:
    """Return what `kubectl ARGUMENTS` prints, given `stdin`; nothing where it is written to a file.

    Raises:
        KubectlError: there is no answer.
    """
    chosen = ["--context", context] if context else []
    command = ["kubectl", *chosen, f"--request-timeout={timeout_s:.0f}s", *arguments]
    try:
        # As bytes: a log may hold anything.
        done = subprocess.run(
            command, stdout=to or subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s + 5,
            check=False, input=None if stdin is None else stdin.encode(),
        )  # fmt: skip
    except FileNotFoundError:
        raise KubectlError("kubectl is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise KubectlError(f"kubectl gave no answer within {timeout_s:.0f} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        last = said.splitlines()[-1:] or ["no message"]
        raise KubectlError(f"kubectl {arguments[0]} failed: {last[0]}", said)
    return "" if to else done.stdout.decode(errors="replace")


def items(kinds: str, namespace: str, *, context: str | None = None, more: tuple[str, ...] = ()) -> list[Any]:
    """Return the objects of these kinds (`pods,jobs`) in a namespace.

    Raises:
        KubectlError: there is no answer, or it is not the JSON it should be.
    """
    text = run(["get", kinds, "--namespace", namespace, "--output", "json", *more], context=context)
    try:
        found = json.loads(text)["items"]
    except (ValueError, KeyError, TypeError):
        raise KubectlError(f"kubectl get {kinds} gave no list of objects") from None
    return list(found)
