"""Runs one Pulumi program and exits; started by the language host in the project's virtual environment.

It imports nothing but the SDK: the project's environment need not hold the twin. Exit codes: 0 done,
32 failed and the reason has been reported to the engine, 1 failed and could not be reported.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pulumi.runtime
from pulumi.runtime import rpc_manager  # noqa: F401 - fails here, not later, on an SDK of another shape

ALREADY_REPORTED = 32
THREADS_PER_PARALLEL = 4


def main() -> int:
    """Run the program named by the only argument."""
    settings = json.loads(os.environ.pop("ORKA_RUN_PROGRAM"))
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    program = Path(sys.argv[1]).resolve()
    folder = program if program.is_dir() else program.parent
    sys.path.insert(0, str(folder))
    sys.argv = [str(program)]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    workers = THREADS_PER_PARALLEL * max(1, min(settings["parallel"], 64))
    loop.set_default_executor(ThreadPoolExecutor(max_workers=workers))
    try:
        run = pulumi.runtime.run_in_stack(lambda: _ran(program))
        loop.run_until_complete(run)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception:  # noqa: BLE001 - whatever the program raises is the user's to see
        pulumi.log.error(f"Program failed with an unhandled exception:\n{traceback.format_exc()}")
    else:
        return 0
    finally:
        # The last messages to the engine are sent by tasks of the loop.
        pending = [task for task in asyncio.all_tasks(loop) if not task.done()]
        if pending:
            loop.run_until_complete(asyncio.wait(pending, timeout=5))
        sys.stdout.flush()
        sys.stderr.flush()
    return ALREADY_REPORTED


def _ran(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    # Without the interpreter's own shutdown: gRPC's threads need seconds to end by themselves.
    code = main()
    os._exit(code)
