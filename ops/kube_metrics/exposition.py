"""Series in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.kube_metrics.series import Series


AS_USUAL = "As kube-state-metrics has it."
HELP = {"orka_release_info": "The release that the stack is of, as `pulumi stack output release_id` has it."}


def text(series: Iterable[Series]) -> str:
    """All of them, those of one name together."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in series:
        shown = ",".join(f'{key}="{_escaped(found)}"' for key, found in labels.items())
        by_name.setdefault(name, []).append(f"{name}{{{shown}}} {value!r}")
    lines = []
    for name, found in by_name.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# HELP {name} {HELP.get(name, AS_USUAL)}", f"# TYPE {name} {kind}", *found]
    return "".join(f"{line}\n" for line in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
