"""The result as one HTML file to hand on: no script, nothing loaded from elsewhere. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ops.checks.chart import latencies
from ops.checks.report import summary

if TYPE_CHECKING:
    from ops.checks.result import CheckResult, RunResult

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #888; }
:root { --good: #1a7f4b; --bad: #c0392b; --so: #b7791f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
p.lead { color: var(--soft); margin-top: .2rem; }
.passed { color: var(--good); } .failed, .errored { color: var(--bad); }
.inconclusive, .degraded { color: var(--so); }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; } td.reason { color: var(--soft); }
code { font-size: .85em; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: currentColor; }
svg .mark { fill: var(--soft); } svg .grid { stroke: var(--line); }
svg .bar { stroke: var(--line); stroke-width: 2; }
svg .sample { fill: var(--soft); opacity: .35; } svg .last { fill: var(--good); }
"""


def page(result: RunResult) -> str:
    """Return the whole page."""
    rows = "".join(_row(check) for check in result.checks)
    chart = latencies([(check.name, check.samples) for check in result.checks])
    before = any(check.before for check in result.checks)
    release = escape(result.release_id)
    heads = ("check", "kind", "verdict", "ms", "tries", "reason and what was asked")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Release {release}: {result.verdict}</title><style>{_STYLE}</style></head><body>"
        f'<h1>Release {release}: <span class="{result.verdict}">{result.verdict}</span></h1>'
        f'<p class="lead">{escape(summary(result))}; begun at {escape(result.started_at)}'
        f"{'; beside a baseline' if before else ''}</p>"
        f'<h2>Checks</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        + (f"<h2>Latency</h2>{chart}" if chart else "")
        + _not_run(result)
        + "</body></html>\n"
    )


def _row(check: CheckResult) -> str:
    counts = check.critical or check.verdict == "passed"
    shown = "degraded" if not counts else check.verdict
    said = check.verdict if counts else f"{check.verdict}, degraded"
    milliseconds = "" if check.latency_ms is None else str(check.latency_ms)
    reason = f"{escape(check.reason)}<br>" if check.reason else ""
    before = f"<br><small>before: {check.before}</small>" if check.before else ""
    return (
        f'<tr><td>{escape(check.name)}</td><td>{check.kind}</td><td class="{shown}">{said}{before}</td>'
        f'<td class="number">{milliseconds}</td><td class="number">{check.attempts}</td>'
        f'<td class="reason">{reason}<code>{escape(check.url)}</code></td></tr>'
    )


def _not_run(result: RunResult) -> str:
    if not result.not_run:
        return ""
    rows = "".join(
        f"<tr><td>{escape(entry.name)}</td><td>{entry.kind}</td>"
        f'<td class="reason">{escape(entry.reason)}</td></tr>'
        for entry in result.not_run
    )
    return f"<h2>Not run here</h2><table><tbody>{rows}</tbody></table>"
