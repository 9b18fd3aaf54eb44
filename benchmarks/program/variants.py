"""The programs that are compared, and what each needs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.program.process import run
from benchmarks.program.recording import VARIABLE, recording
from tests.checkout import CHECKOUT

OURS = "ours"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Variant:
    """A program; `variables` are of its environment."""

    title: str
    program: Path
    variables: dict[str, str] = field(default_factory=dict)


def ready(folder: Path) -> dict[str, Variant]:
    """All of them; the stack's program is run once, and what it registers recorded in `folder`."""
    recorded = folder / "recording.json"
    recorded.write_text(json.dumps(recording(run(CHECKOUT).seen)))
    return {
        OURS: Variant("the stack's program", CHECKOUT),
        "untrimmed": Variant("the same without `components/startup.py`", HERE / "untrimmed.py"),
        "dicts": Variant("the same resources as dicts", HERE / "as_dicts.py", {VARIABLE: str(recorded)}),
        "empty": Variant("a program without resources", HERE / "empty.py"),
    }
