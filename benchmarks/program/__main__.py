"""`make bench-program`: what the program's own process costs, without an engine, a cluster or a provider.

The stack's program runs as the language host starts it, in turn with itself without `components/startup.py`,
with the same resources registered as plain dicts, and with a program that registers nothing. Seconds differ
between machines and hours; the ratios of one run hardly do, those of processor seconds not even on a busy
machine: a start is pure computation. Prints a table, and JSON with --json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.program.process import run
from benchmarks.program.variants import OURS, ready

if TYPE_CHECKING:
    from benchmarks.program.process import Run
    from benchmarks.program.variants import Variant

FEWEST = 5
FIGURES = ("seconds", "processor_seconds", "resident_mib", "proportional_mib")


def main() -> int:
    """Measure; every program once more before, so that its modules are compiled and its files cached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help=f"of each program, {FEWEST} or more")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    if chosen.runs < FEWEST:
        parser.error(f"--runs {chosen.runs}: a median of fewer than {FEWEST} says little; leave it out")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        variants = ready(Path(folder))
        runs: dict[str, list[Run]] = {name: [] for name in variants}
        for number in range(chosen.runs + 1):
            for name, variant in variants.items():
                _say(f"{name} ({number} of {chosen.runs})")
                done = run(variant.program, **variant.variables)
                if number > 0:
                    runs[name].append(done)
    found = {name: figures(of_one) for name, of_one in runs.items()}
    about = {"runs": chosen.runs, "cores": os.cpu_count(), "load_before": round(load, 1)}
    print(json.dumps({"programs": found, **about}) if chosen.json else table(found, variants, about))
    return 0


def figures(runs: list[Run]) -> dict[str, float]:
    """The medians, the quickest run, and what was told to the engine."""
    found = {figure: round(median(getattr(one, figure) for one in runs), 2) for figure in FIGURES}
    seen = runs[0].seen
    return {
        **found,
        "quickest_seconds": round(min(one.seconds for one in runs), 2),
        "resources": len(seen.registered),
        "messages": seen.messages,
    }


def table(found: dict[str, dict[str, float]], variants: dict[str, Variant], about: dict[str, Any]) -> str:
    """The figures as Markdown, the form of docs/measurements.md."""
    unit = found[OURS]
    lines = [
        "| program | seconds | ratio | quickest | processor s | ratio | resident MiB | proportional MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {variants[name].title} | {one['seconds']:.2f} | {one['seconds'] / unit['seconds']:.2f} | "
        f"{one['quickest_seconds']:.2f} | {one['processor_seconds']:.2f} | "
        f"{one['processor_seconds'] / unit['processor_seconds']:.2f} | "
        f"{one['resident_mib']:.0f} | {one['proportional_mib']:.0f} |"
        for name, one in found.items()
    ]
    resources = found[OURS]["resources"]
    told = f"{resources} registrations, {about['runs']} runs of each in turn, {about['cores']} cores"
    return "\n".join([*lines, "", f"{told}, load before {about['load_before']}."])


def _say(line: str) -> None:
    print(f"[bench] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
