"""The stack's program as it would be without `components/startup.py`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType

NAME = "components.startup"

sys.modules[NAME] = ModuleType(NAME)
runpy.run_path(str(Path(__file__).parents[2]), run_name="__main__")
