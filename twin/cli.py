"""Starts, shows and ends the twin: a whole staging environment on this machine.

exit codes: 0 done, 1 a step failed or the twin is not healthy, 2 wrong usage, 3 another checkout's twin runs
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from twin import bring_up, ownership, teardown
from twin import paths as twin_paths
from twin.environment import environment
from twin.status import collect
from twin.steps import StepError, run_all, say
from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twin.paths import Paths

OK, FAILED, USAGE, OTHER_TWIN = 0, 1, 2, 3
LOG_LINES = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    command: Callable[[Paths, argparse.Namespace], int] = chosen.command
    try:
        return command(twin_paths.default(), chosen)
    except ownership.AnotherTwinError as error:
        say(str(error))
        return OTHER_TWIN
    except StepError as error:
        say(f"FAILED {error}")
        return FAILED
    except BrokenPipeError:
        return OK
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where it stopped")
        return FAILED


def up(paths: Paths, chosen: argparse.Namespace) -> int:
    """Start what does not run; with `--replace`, end another checkout's twin first."""
    with ownership.locked(paths):
        other = ownership.foreign(paths)
        if other:
            if ownership.running(paths) and not chosen.replace:
                raise ownership.AnotherTwinError(f"{ownership.describe(other)}; {ownership.TAKE_OVER}")
            say(f"ending the twin of {other.checkout}")
            run_all(teardown.steps(ownership.paths_of(other, paths)))
        run_all(bring_up.steps(paths))
    return OK


def down(paths: Paths, chosen: argparse.Namespace) -> int:
    """End the twin; its data stays."""
    with ownership.locked(paths):
        _end(paths, replace=chosen.replace)
    stays = [f"data {paths.data}"] if paths.data.exists() else []
    stays += [
        f"tools and images {cache_root()}",
        "installed Debian packages",
        f"the folder {paths.state}",
    ]
    say(f"down; what stays: {'; '.join(stays)}")
    return OK


def reset(paths: Paths, chosen: argparse.Namespace) -> int:
    """End the twin and delete its data: database, cluster, state, secrets."""
    with ownership.locked(paths):
        _end(paths, replace=chosen.replace)
        if paths.data.exists():
            shutil.rmtree(paths.data)
    say(f"deleted {paths.data}; the cache {cache_root()} stays")
    return OK


def status(paths: Paths, chosen: argparse.Namespace) -> int:
    """Each process, the node, a verdict."""
    found = collect(paths)
    if chosen.json:
        print(json.dumps(dataclasses.asdict(found), indent=1))
    else:
        for entry in found.processes:
            state = "ready" if entry.ready else "not ready" if entry.running else "not running"
            print(f"{entry.name:26} {entry.pid if entry.running else '-':>8}  {state}")
        print(f"{'node':26} {'':>8}  {'Ready' if found.node_ready else 'not Ready'}")
        print(f"verdict: {found.verdict}")
    return OK if found.healthy else FAILED


def env(paths: Paths, chosen: argparse.Namespace) -> int:
    """Shell exports for `eval`."""
    variables = environment(paths, os.environ)
    if chosen.json:
        print(json.dumps(variables, indent=1))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    return OK


def logs(paths: Paths, chosen: argparse.Namespace) -> int:
    """The end of a process's log."""
    log = paths.logs / f"{chosen.name}.log"
    names = sorted(file.stem for file in paths.logs.glob("*.log"))
    if chosen.name not in names:
        say(f"no log of `{chosen.name}`; there are: {', '.join(names) or 'none'}")
        return USAGE
    if chosen.follow:
        return subprocess.run(["tail", "-n", str(chosen.lines), "-F", str(log)], check=False).returncode
    print("\n".join(log.read_text(errors="replace").splitlines()[-chosen.lines :]))
    return OK


def _end(paths: Paths, *, replace: bool) -> None:
    owner = ownership.read(paths)
    if owner is None:
        say("no twin runs on this machine")
        return
    if owner.checkout != str(paths.checkout) and not replace:
        raise ownership.AnotherTwinError(f"{ownership.describe(owner)}; {ownership.END}")
    run_all(teardown.steps(ownership.paths_of(owner, paths)))


def _parser() -> argparse.ArgumentParser:
    about, _, codes = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="twin", description=about, epilog=codes.strip())
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def verb(name: str, command: Callable[[Paths, argparse.Namespace], int]) -> argparse.ArgumentParser:
        summary = (command.__doc__ or "").strip()
        made = verbs.add_parser(name, help=summary, description=summary, epilog=codes.strip())
        made.set_defaults(command=command)
        return made

    for name, command in (("up", up), ("down", down), ("reset", reset)):
        verb(name, command).add_argument(
            "--replace", action="store_true", help="also another checkout's twin"
        )
    for name, command in (("status", status), ("env", env)):
        verb(name, command).add_argument("--json", action="store_true", help="for programs")
    shown = verb("logs", logs)
    shown.add_argument("name", metavar="NAME", help="of a process, as `twin status` lists it")
    shown.add_argument("--lines", type=int, default=LOG_LINES, metavar="N", help=f"how many; {LOG_LINES}")
    shown.add_argument("--follow", action="store_true", help="go on showing what is added")
    return parser


if __name__ == "__main__":
    sys.exit(main())
