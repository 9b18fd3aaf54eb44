"""What a run says while it works: one line each on standard error, JSON where the result is JSON."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Progress:
    """Counts steps and the time since its creation.

    Args:
        write: takes one line.
        as_json: write objects instead of text.
    """

    write: Callable[[str], None]
    as_json: bool = False
    steps_done: int = 0
    steps_left: int = 0
    _started: float = field(default_factory=time.monotonic)

    def tell(self, event: str, text: str, **facts: Any) -> None:
        """Say one thing; `facts` (step, rows, blockers) are for the machine."""
        elapsed = round(time.monotonic() - self._started, 1)
        if self.as_json:
            counts = {"elapsed_s": elapsed, "steps_done": self.steps_done, "steps_left": self.steps_left}
            self.write(json.dumps({"event": event, "text": text, **counts, **facts}, default=str))
        else:
            self.write(f"[{elapsed:6.1f} s, {self.steps_done} of {self._steps} steps] {text}")

    @property
    def _steps(self) -> int:
        return self.steps_done + self.steps_left

    def step_done(self) -> None:
        """One step less is left."""
        self.steps_done, self.steps_left = self.steps_done + 1, self.steps_left - 1
