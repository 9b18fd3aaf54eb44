"""What a preview says of each migration: its checksum, the locks it takes, and what the linters found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from model.plan import REVIEW, PlanError

if TYPE_CHECKING:
    from pathlib import Path

    from model.plan import Plan

_REMEDY = "python -m ops.migrate.review"
_DIGITS = 16


class Reviewed(BaseModel):
    """One migration in `review.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    statements: int
    locks: list[str]
    """On tables that were there before."""
    lint: list[str]


def load_review(sql_dir: Path, plan: Plan) -> dict[str, str]:
    """One line by version; PlanError where the review is not of these files."""
    try:
        document = yaml.safe_load((sql_dir / REVIEW).read_text(encoding="utf-8"))
        reviewed = TypeAdapter(dict[str, Reviewed]).validate_python(document)
    except (OSError, yaml.YAMLError, ValidationError):
        raise PlanError(f"{REVIEW} is missing or not in order: {_REMEDY}") from None
    wanted = {migration.version: migration.sha256 for migration in plan.migrations}
    if {version: one.sha256 for version, one in reviewed.items()} != wanted:
        raise PlanError(f"{REVIEW} is not of these migrations: {_REMEDY}")
    return {version: _line(one) for version, one in reviewed.items()}


def _line(one: Reviewed) -> str:
    locks, lint = "; ".join(one.locks) or "none", "; ".join(one.lint) or "no finding"
    short = one.sha256[:_DIGITS]
    return f"{one.name}: {one.statements} statements, sha256 {short}…, locks: {locks}, lint: {lint}"
