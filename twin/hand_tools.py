"""What a person's own commands need: links to the tools, the passphrase, curl's way to the edge."""

from __future__ import annotations

import os
import secrets
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from twin import certificates, files
from twin.environment import EDGE, HOSTS, official_pulumi
from twin.steps import Step, StepError
from twin.toolchain import build

if TYPE_CHECKING:
    from twin.paths import Paths

SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# The engine looks for it beside the `pulumi` program.
LANGUAGE_HOST = "pulumi-language-python"
# The engine finds these where it keeps installed plugins; on PATH it would warn of each, in every command.
PLUGINS = ("kubernetes", "postgresql", "random", "docker")


def steps(paths: Paths) -> list[Step]:
    """One step: `.twin/bin`, the passphrase and `.curlrc`."""
    return [Step("tools for your shell", lambda: _make(paths))]


def toolchain(paths: Paths) -> str:
    """Have the programs that are built from source; pulumi only when the person has none.

    Raises:
        StepError: a build failed.
    """
    tools = [build.KUBERNETES, build.COREDNS]
    own = official_pulumi(paths, os.environ)
    if own is None:
        tools.insert(0, build.PULUMI)
    try:
        for tool in tools:
            build.ensure(tool)
    except build.ToolchainError as error:
        raise StepError(str(error)) from error
    return f"pulumi is {own}" if own else f"in {build.cache_root() / 'tools'}"


def curlrc(authorities: Path) -> str:
    """curl's configuration: the guide's host names lead to the edge, whose authority is trusted."""  # noqa: D403
    lines = [f'connect-to = "{host}:443:{EDGE}"' for host in HOSTS]
    return "\n".join([*lines, f'cacert = "{authorities}"', ""])


def wrapper(checkout: Path, module: str) -> str:
    """A script that starts a plugin by this checkout's own Python, whatever folder it is called in."""
    python = checkout / ".venv" / "bin" / "python"
    return f"#!/bin/sh\nexec '{python}' -P -m {module} \"$@\"\n"


def _make(paths: Paths) -> str:
    paths.bin.mkdir(parents=True, exist_ok=True)
    paths.pulumi_state.mkdir(parents=True, exist_ok=True)
    paths.pulumi_home.mkdir(parents=True, exist_ok=True)
    if not paths.pulumi_passphrase.exists():
        files.write(paths.pulumi_passphrase, secrets.token_urlsafe(32))
    authorities = _bundle(paths)
    files.write(paths.curl / ".curlrc", curlrc(authorities), 0o644)
    _link(paths.checkout / ".venv" / "bin" / "kubectl", paths.bin / "kubectl")
    return _pulumi(paths)


def _bundle(paths: Paths) -> Path:
    """The system's authorities and the twin's, so that curl still reaches other places."""
    own = certificates.authority(paths).read_text()
    system = SYSTEM_AUTHORITIES.read_text() if SYSTEM_AUTHORITIES.exists() else ""
    return files.write(paths.curl / "authorities.crt", f"{system.rstrip()}\n{own}".lstrip(), 0o644)


def _pulumi(paths: Paths) -> str:
    own = official_pulumi(paths, os.environ)
    if own is not None:
        for name in ("pulumi", LANGUAGE_HOST):
            (paths.bin / name).unlink(missing_ok=True)
        for name in PLUGINS:
            shutil.rmtree(_plugin_folder(paths, name), ignore_errors=True)
        return f"your own pulumi: {own}"
    _same_file(build.ensure(build.PULUMI), paths.bin / "pulumi")
    files.write(paths.bin / LANGUAGE_HOST, wrapper(paths.checkout, "twin.plugins.langhost"), 0o755)
    for name in PLUGINS:
        script = wrapper(paths.checkout, f"twin.plugins.{name}")
        files.write(_plugin_folder(paths, name) / f"pulumi-resource-{name}", script, 0o755)
    return "the twin's pulumi and plugins"


def _plugin_folder(paths: Paths, name: str) -> Path:
    """Where an installed plugin of the version that the program's package asks for would lie."""
    version = metadata.version(f"pulumi-{name}")
    return paths.pulumi_home / "plugins" / f"resource-{name}-v{version}"


def _same_file(source: Path, target: Path) -> None:
    """A hard link or a copy, never a symbolic link: the engine looks for plugins beside its real place."""
    if target.exists() and (target.samefile(source) or _alike(source, target)):
        return
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        partial.hardlink_to(source)
    except OSError:
        shutil.copy2(source, partial)
    partial.replace(target)


def _alike(source: Path, target: Path) -> bool:
    one, other = source.stat(), target.stat()
    return one.st_size == other.st_size and int(one.st_mtime) == int(other.st_mtime)


def _link(source: Path, target: Path) -> None:
    if target.is_symlink() and target.readlink() == source:
        return
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(source)
    partial.replace(target)
