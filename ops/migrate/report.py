"""What a run tells: results as JSON objects, as text, and the cause of a failure for the pod's status."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.migrate import lock_class
from ops.migrate.outcome import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from model.plan import Plan, Step
    from ops.migrate.adoption import Baseline
    from ops.migrate.apply import Applied
    from ops.migrate.ledger import Entry, History
    from ops.migrate.rollback import RolledBack
    from ops.migrate.statements import Statement
    from ops.migrate.step_ledger import StepEntry
    from ops.migrate.verify import Verdict

_PLANNED = "{version} {name}: {statements} statements, sha256 {sha256}"
_PLANNED_STEP = "  {name}: {kind}, {statements} statements, locks: {locks}"
_PLANNED_ALONE = "  once it is applied, older programs refuse to work: {}"
_ENTRY = "{version} {name}: applied {applied_at} as {applied_by}"
_TAKEN_BACK = "{version}: taken back {rolled_back_at} as {rolled_back_by}"
_STEP = "  {version} {step}: {kind}, {state}, attempt {attempt}, {rows_done} rows"
_DEFAULT_TERMINATION_LOG = "/dev/termination-log"
# Kubernetes keeps 4096 bytes of it; a reason of an `up` should stay readable.
_TERMINATION_LINES, _TERMINATION_BYTES = 8, 1500


def plan(plan: Plan, scripts: Mapping[str, list[Statement]]) -> dict[str, Any]:
    """Result of `plan`; `scripts` are the statements by path of the step."""

    def described(steps: Sequence[Step]) -> list[dict[str, Any]]:
        return [
            {
                **step.model_dump(),
                "statements": len(scripts[step.path]),
                "locks": lock_class.locks(scripts[step.path]),
            }
            for step in steps
        ]

    return {
        "verb": "plan",
        "outcome": "planned",
        "migrations": [
            {
                **migration.model_dump(),
                "statements": sum(len(scripts[step.path]) for step in migration.steps),
                "steps": described(migration.steps),
                "adoption": described(migration.adoption),
            }
            for migration in plan.migrations
        ],
        "checksums": plan.checksums,
    }


def applied(result: Applied) -> dict[str, Any]:
    """Result of `apply`."""
    return {
        "verb": "apply",
        "outcome": "applied" if result.applied else "nothing to do",
        "applied": result.applied,
        "already": result.already,
        "later": result.later,
        **_verdict(result.verdict),
    }


def baselined(baseline: Baseline) -> dict[str, Any]:
    """Result of `baseline`."""
    return {"verb": "baseline", "outcome": f"recognised as {baseline.shape}", **vars(baseline)}


def verified(verdict: Verdict) -> dict[str, Any]:
    """Result of `verify`."""
    return {"verb": "verify", "outcome": "verified", **_verdict(verdict)}


def backed_up(path: Path) -> dict[str, Any]:
    """Result of `backup`; the manifest says the rest."""
    return {"verb": "backup", "outcome": "proved", "manifest": str(path)}


def rolled_back(result: RolledBack) -> dict[str, Any]:
    """Result of `rollback`."""
    return {
        "verb": "rollback",
        "outcome": "rolled back" if result.versions else "nothing to do",
        "rolled_back": list(result.versions),
        "stays": result.stays,
    }


def status(
    history: History,
    entries: Sequence[Entry],
    steps: Sequence[StepEntry],
    taken_back: Sequence[dict[str, str]],
) -> dict[str, Any]:
    """Result of `status`; it ends as `apply` would where the files and the ledger disagree."""
    code = ExitCode.OK
    if history.tampered:
        code = ExitCode.TAMPERED
    elif history.incompatible:
        code = ExitCode.REFUSED
    elif history.disorder:
        code = ExitCode.NEEDS_OPERATOR
    return {
        "verb": "status",
        "outcome": "pending" if history.pending else "up to date",
        "exit_code": code,
        "ledger": [vars(entry) for entry in entries],
        "steps": [vars(step) for step in steps],
        "pending": [migration.version for migration in history.pending],
        "later": [entry.version for entry in history.later],
        "taken_back": list(taken_back),
        "faults": [*history.tampered, *history.incompatible, *history.disorder],
    }


def as_text(result: dict[str, Any]) -> str:
    """A result for a reader."""
    lines = [line for migration in result.get("migrations", ()) for line in _planned(migration)]
    lines += [_ENTRY.format(**entry) for entry in result.get("ledger", ())]
    lines += [_STEP.format(**step) for step in result.get("steps", ())]
    lines += [_TAKEN_BACK.format(**entry) for entry in result.get("taken_back", ())]
    for key, text in (
        ("applied", "applied"),
        ("already", "applied before"),
        ("pending", "pending"),
        ("rolled_back", "taken back"),
    ):
        if result.get(key):
            lines.append(f"{text}: {', '.join(result[key])}")
    if "stays" in result:
        lines.append(f"stays applied: {result['stays'] or 'nothing'}")
    if result.get("later"):
        lines.append(f"applied by a newer program, left alone: {', '.join(result['later'])}")
    if "guide_tables" in result:
        lines += [" table_name", "─" * 29, *(f" {name}" for name in result["guide_tables"])]
        lines.append(f"({len(result['guide_tables'])} rows)")
        proved = ", ".join(f"{count} {kind}" for kind, count in result["proved"].items())
        lines.append(f"as the contract says: {proved}; row security on and forced everywhere")
        if result["tried"]:
            tried = ", ".join(f"{count} of {kind}" for kind, count in result["tried"].items())
            lines.append(f"tried out and rolled back: {tried}")
        lines += result["left_out"]
    lines += result.get("faults", ())
    if "manifest" in result:
        lines.append(f"manifest: {result['manifest']}")
    return "\n".join([*lines, f"{result['verb']}: {result['outcome']}"])


def _planned(migration: dict[str, Any]) -> list[str]:
    steps = [*migration["steps"], *migration["adoption"]]
    reason = migration["incompatible_with_older"]
    return [
        _PLANNED.format(**migration),
        *([_PLANNED_ALONE.format(reason)] if reason else []),
        *(_PLANNED_STEP.format(**{**step, "locks": "; ".join(step["locks"]) or "none"}) for step in steps),
    ]


def write_termination_message(lines: Sequence[str], environ: Mapping[str, str]) -> None:
    """Leave the cause where Kubernetes looks for it; `pulumi up` prints it as the reason of a failed Job."""
    path = Path(environ.get("TERMINATION_LOG", _DEFAULT_TERMINATION_LOG))
    if "TERMINATION_LOG" not in environ and not (path.exists() and os.access(path, os.W_OK)):
        return
    shown = list(lines[:_TERMINATION_LINES])
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} more lines in the log")
    text = "\n".join(shown).encode()[:_TERMINATION_BYTES].decode(errors="ignore")
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError:
        # The same lines are on standard error; an unwritable file must not hide the cause.
        return


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "guide_tables": verdict.guide_tables,
        "proved": verdict.proved,
        "tried": verdict.tried,
        "left_out": verdict.left_out,
    }
