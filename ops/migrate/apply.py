"""Bring a database to the plan, step by step; the ledger moves with each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ops.migrate import adoption, expected_sizes, ledger, preflight, step_ledger
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.run_step import Work, run_step
from ops.migrate.scripts import read_scripts
from ops.migrate.sessions import Sessions
from ops.migrate.still_recognised import require_unchanged
from ops.migrate.verify import Verdict, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    from model.plan import Migration, Plan, Step
    from ops.migrate.contract import Contract
    from ops.migrate.ledger import History
    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.statements import Statement


@dataclass(frozen=True)
class Applied:
    """What a run did; empty `applied` means that there was nothing to do."""

    applied: tuple[str, ...]
    already: tuple[str, ...]
    later: tuple[str, ...]
    verdict: Verdict


def apply(
    connection: psycopg.Connection,
    plan: Plan,
    contract: Contract,
    options: Options,
    progress: Progress,
    open_guard: Callable[[], psycopg.Connection],
    back_up: Callable[[], object] | None = None,
) -> Applied:
    """Apply what is pending and prove the contract before the last commit; else only prove it.

    `open_guard` opens the second session, which only a run with something to do needs. `back_up` is called
    before the first change, under the lock: of two runners only the one that will change something dumps.
    """
    scripts = read_scripts(plan)
    history = look(connection, plan)
    verdict = None
    if history.pending:
        with open_guard() as guard:
            sessions = Sessions(connection, guard)
            in_the_way = partial(_in_the_way, connection, plan, contract, adopt=options.adopt)
            to_do = [step for _, step in _open_steps(connection, history)]
            vector_is_missing = preflight.check(connection, options, progress, to_do, in_the_way(history))
            sessions.lock(options.lock_wait)
            # Another runner may have been at work while this one waited.
            history = look(connection, plan)
            if faults := in_the_way(history):
                raise MigrateError(ExitCode.REFUSED, *faults)
            unchanged = partial(require_unchanged, connection, adoption.known_shapes(plan), contract)
            if any(step in migration.adoption for migration, step in _open_steps(connection, history)):
                unchanged("nothing was changed", ExitCode.REFUSED)
            if history.pending and back_up:
                back_up()
            if history.pending and vector_is_missing:
                preflight.create_vector(connection)
            if _unknown_tables(connection, contract, history):
                shape = adoption.record(connection, plan, contract).shape
                progress.tell("baseline", f"recognised: {shape}", shape=shape)
            steps = _open_steps(connection, history)
            progress.steps_left = len(steps)
            expected_sizes.tell(connection, [step for _, step in steps], list(contract.tables), progress)
            for work in _works(steps, scripts, contract, unchanged):
                verdict = run_step(sessions, work, options, progress)
    already = tuple(migration.version for migration in history.applied)
    later = tuple(entry.version for entry in history.later)
    if verdict is None:
        verdict = check(connection, contract, newer_schema=bool(later))
    return Applied(tuple(migration.version for migration in history.pending), already, later, verdict)


def look(connection: psycopg.Connection, plan: Plan) -> History:
    """The plan against the ledger; raise TAMPERED or NEEDS_OPERATOR where they tell different stories."""
    history = ledger.history(connection, plan)
    ledger.require_order(history)
    return history


def check(connection: psycopg.Connection, contract: Contract, *, newer_schema: bool) -> Verdict:
    """Verify in a read-only transaction; raise VERIFY_FAILED with the findings."""
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        verdict = verify(connection, contract, newer_schema=newer_schema)
    if verdict.findings:
        raise MigrateError(ExitCode.VERIFY_FAILED, verdict.summary, *map(str, verdict.findings))
    return verdict


def _works(
    steps: list[tuple[Migration, Step]],
    scripts: Mapping[str, list[Statement]],
    contract: Contract,
    unchanged: Callable[[str], None],
) -> list[Work]:
    """What to run; only the last one must fulfil the contract, and does so before it commits."""
    return [
        Work(
            migration,
            step,
            scripts[step.path],
            ends_migration=sum(len(scripts[one.path]) for one in way) if step == way[-1] else None,
            contract=contract if (migration, step) == steps[-1] else None,
            rehearsal=scripts[migration.rehearsal]
            if migration.rehearsal and migration.adoption[-1:] == (step,)
            else None,
            unchanged=unchanged if step in migration.adoption else None,
        )
        for migration, step in steps
        for way in [migration.steps if step in migration.steps else migration.adoption]
    ]


def _in_the_way(
    connection: psycopg.Connection, plan: Plan, contract: Contract, history: History, *, adopt: bool
) -> list[str]:
    """Why tables that were made by hand cannot be left where they are, or cannot be adopted."""
    found = _unknown_tables(connection, contract, history)
    if found and not adopt:
        fault = f"these tables exist already, made by hand or by another tool: {', '.join(found)}"
        remedy = (
            "`ops migrate baseline` says what they are, `ops migrate apply --adopt` (setting database.adopt)"
            " takes them over; nothing was changed"
        )
        return [fault, remedy]
    begun = adoption.read(connection)
    if not found and not (begun and begun.version in {one.version for one in history.pending}):
        return []
    # Adoption lends its copies to the login, and works as the role that the login's setting names.
    return [
        *preflight.another_role(connection),
        *(adoption.differences(connection, plan, contract) if found else []),
    ]


def _unknown_tables(connection: psycopg.Connection, contract: Contract, history: History) -> list[str]:
    """The contract's tables that are there, where neither the ledger nor a baseline knows of any."""
    untouched = history.pending and not history.applied and not step_ledger.read(connection)
    if not untouched or adoption.read(connection):
        return []
    return adoption.tables_made_by_hand(connection, contract)


def _open_steps(connection: psycopg.Connection, history: History) -> list[tuple[Migration, Step]]:
    """The steps that are not done, in order."""
    done = {(entry.version, entry.step) for entry in step_ledger.read(connection) if entry.state == "done"}
    baseline = adoption.read(connection)
    adopted = baseline.version if baseline else None
    return [
        (migration, step)
        for migration in history.pending
        for step in (migration.adoption if migration.version == adopted else migration.steps)
        if (migration.version, step.name) not in done
    ]
