"""Tables made by hand must stay as they were recognised until their copies have taken their place.

Else the adoption would leave out, without a word, what came since: a column that nobody copies, a row that
row security hides, a view that would end at the originals. Indexes and policies may change: none is carried
over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.plan import before
from ops.migrate import adoption, catalog, shapes
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from ops.migrate.contract import Contract
    from ops.migrate.shapes import Shape

# From step 30 on, with the step itself.
_NOTED = "SELECT to_regprocedure('orka_new.note_change()') IS NOT NULL"
_DROPPED_ARE_NOTED = "SELECT to_regclass('orka_original.dropped_references') IS NOT NULL"
_DROPPED = """
    SELECT format('constraint public.%s.%s', source, name), definition FROM orka_original.dropped_references
"""


def require_unchanged(
    connection: psycopg.Connection,
    known: Mapping[str, Shape],
    contract: Contract,
    left: str,
    code: ExitCode = ExitCode.NEEDS_OPERATOR,
) -> None:
    """Raise `code` with every difference from the one of the `known` shapes that was recognised.

    `left` says what is left behind. What the adoption itself did is expected: its two triggers, and the
    foreign keys that it noted and dropped.
    """
    recognised = adoption.read(connection)
    if recognised is None:
        return
    with connection.transaction(force_rollback=True):
        differences = _differences(connection, known, contract, recognised.shape)
    if differences:
        raise MigrateError(
            code,
            f"the tables are no longer as they were recognised ({recognised.shape}): {left}",
            *differences,
            "take that change back and run `ops migrate apply` again, or give the adoption up:"
            f" `ops migrate rollback --to {before(recognised.version)}`",
        )


def _differences(
    connection: psycopg.Connection, known: Mapping[str, Shape], contract: Contract, shape: str
) -> list[str]:
    oids = adoption.oids_by_name(connection, [name for name in contract.tables if name.startswith("public.")])
    found = catalog.observe(connection, list(oids), [], []).tables
    dropped: dict[str, str] = {}
    if _is(connection, _DROPPED_ARE_NOTED):
        dropped = dict(connection.execute(_DROPPED).fetchall())
    return [
        *shapes.changes(known, shape, found, noted=_is(connection, _NOTED), dropped=dropped),
        *adoption.in_others_hands(connection, list(oids.values())),
    ]


def _is(connection: psycopg.Connection, question: str) -> bool:
    row = connection.execute(question.encode()).fetchone()
    return bool(row and row[0])
