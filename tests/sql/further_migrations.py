"""The project's SQL with a migration more: one statement, or four steps that change a big table."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.sql.support import SQL, copy_sql

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2500
STEPS = {
    "10_columns.sql": "-- step: tx\nALTER TABLE public.audit_big ADD COLUMN doubled int;\n",
    "20_fill.sql": """-- step: backfill
UPDATE public.audit_big SET doubled = n * 2 WHERE n IN (
    SELECT n FROM public.audit_big WHERE doubled IS NULL ORDER BY n
    LIMIT current_setting('orka.batch_size')::int
);
""",
    "30_index.sql": """-- step: concurrent
CREATE INDEX CONCURRENTLY big_doubled ON public.audit_big (doubled);
""",
    "40_check.sql": "-- step: tx\nALTER TABLE public.audit_big ALTER COLUMN doubled SET NOT NULL;\n",
}
STATE = """
    SELECT (SELECT count(*) FROM public.audit_big WHERE doubled = n * 2),
           (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.big_doubled')),
           (SELECT attnotnull FROM pg_attribute WHERE attrelid = 'public.audit_big'::regclass
            AND attname = 'doubled')
"""
FINISHED = (ROWS, True, True)


def with_steps(folder: Path, **changes: str) -> Path:
    """The project's SQL and a migration 024 of four steps (`changes`: by number, as `step_30`)."""
    copy = folder / "sql"
    subprocess.run(["cp", "-r", SQL, copy], check=True)
    contract = copy / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: '023'", "version: '024'"))
    migration = copy / "024_big"
    migration.mkdir()
    for name, text in STEPS.items():
        (migration / name).write_text(changes.get(f"step_{name[:2]}", text))
    return copy


def with_024(folder: Path, text: str = "SELECT 1;") -> Path:
    """A copy of the folder of SQL with one more migration."""
    copy = copy_sql(folder)
    (copy / "024_next").mkdir()
    (copy / "024_next" / "up.sql").write_text(text)
    contract = copy / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: '023'", "version: '024'", 1))
    return copy
