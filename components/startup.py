"""Imported before anything else by `__main__.py`: what makes every preview and `up` start sooner.

The program's process makes its resources at once and then only waits, and does two things that nobody needs:

- The garbage collector walks what the SDK's big modules have just made, again and again, and finds little.
- The SDK tells the engine five times of each resource what it is doing, and waits for each answer. The engine
  shows that under `--debug` alone, which a program cannot see; the variable that says the same it can:
  `PULUMI_OPTION_DEBUG=true pulumi up`.

`make bench-program` measures the program with this module and without it.
"""

from __future__ import annotations

import gc
import os
from typing import Any

import pulumi

DEBUG = "PULUMI_OPTION_DEBUG"


def _unread(*_: Any, **__: Any) -> None:
    """Say nothing."""


gc.disable()
if os.environ.get(DEBUG, "false") == "false":
    pulumi.log.debug = _unread
