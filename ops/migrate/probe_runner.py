"""Run probes on a server, all of them in one round trip."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import psycopg

from ops.migrate.catalog import vector_schema
from ops.migrate.probe import NOTHING, ROWS, Probe, Tenants, name
from ops.migrate.probe_matrix import claims_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.migrate.behaviour import Behaviour

# Each in a sub-transaction that its own exception undoes.
_RUN = b"""
DO $probes$
DECLARE
    probe jsonb;
    step jsonb;
    steps integer;
    touched bigint;
    outcomes text[] := '{}';
BEGIN
    FOR probe IN SELECT value FROM jsonb_array_elements(current_setting('orka_probe.todo')::jsonb) LOOP
        steps := 0;
        BEGIN
            FOR step IN SELECT value FROM jsonb_array_elements(probe -> 'steps') LOOP
                steps := steps + 1;
                PERFORM set_config('role', step ->> 'role', true);
                IF step ->> 'claims' IS NOT NULL THEN
                    PERFORM set_config('request.jwt.claims', step ->> 'claims', true);
                END IF;
                IF step ->> 'unless' IS NOT NULL THEN
                    EXECUTE 'SELECT 1 WHERE ' || (step ->> 'unless');
                    GET DIAGNOSTICS touched = ROW_COUNT;
                    IF touched > 0 THEN
                        RAISE EXCEPTION 'may' USING ERRCODE = 'ORKA1';
                    END IF;
                END IF;
                EXECUTE step ->> 'sql';
                GET DIAGNOSTICS touched = ROW_COUNT;
            END LOOP;
            IF NOT (probe ->> 'keep')::boolean THEN
                RAISE EXCEPTION '%', CASE WHEN touched > 0 THEN 'rows' ELSE 'nothing' END
                    USING ERRCODE = 'ORKA1';
            END IF;
            outcomes := outcomes || CASE WHEN touched > 0 THEN 'rows' ELSE 'nothing' END;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected OR insufficient_resources THEN
                RAISE;
            WHEN OTHERS THEN
                outcomes := outcomes || CASE
                    WHEN SQLSTATE = 'ORKA1' THEN SQLERRM
                    WHEN steps < jsonb_array_length(probe -> 'steps')
                        THEN format('%s in step %s', SQLSTATE, steps)
                    ELSE SQLSTATE END;
        END;
    END LOOP;
    PERFORM set_config('role', 'none', true);
    PERFORM set_config('orka_probe.outcomes', array_to_json(outcomes)::text, true);
END
$probes$
"""


def run(connection: psycopg.Connection, probes: Iterable[Probe]) -> list[tuple[Probe, str]]:
    """Each probe with its outcome. Must run in a transaction that is rolled back."""
    todo = list(probes)
    text = json.dumps([{"keep": one.keep, "steps": [asdict(step) for step in one.steps]} for one in todo])
    connection.execute("SELECT set_config('orka_probe.todo', %s, true)", (text,))
    connection.execute(_RUN)
    row = connection.execute("SELECT current_setting('orka_probe.outcomes')").fetchone()
    outcomes: list[str] = json.loads(row[0]) if row else []
    return list(zip(todo, outcomes, strict=True))


def plans(connection: psycopg.Connection, behaviour: Behaviour, tenants: Tenants) -> list[tuple[Probe, str]]:
    """The tenant is looked up once per query and its rows are found, and ordered, by an index.

    Asked with every other way of planning switched off, so that the answer does not depend on statistics.
    """
    claims, home = claims_text(behaviour, tenants, "A"), vector_schema(connection)
    done = []
    for table, rule in behaviour.tables.items():
        if not rule.writer:
            continue
        where = f" WHERE {rule.latest.where}" if rule.latest else ""
        sql = f"SELECT tenant_id FROM {name(table)}{where}"
        plan = _plan(connection, sql, claims, "enable_seqscan", "enable_indexscan", "enable_indexonlyscan")
        good = "InitPlan" in plan and "Index Cond: (tenant_id = " in plan
        done.append((_claim(f"a tenant's rows of {table} are found by an index"), good))
        if rule.latest:
            sql = f"{sql} ORDER BY {rule.latest.order.replace('{vector}', home)} LIMIT 50"
            plan = _plan(connection, sql, claims, "enable_seqscan", "enable_bitmapscan", "enable_sort")
            good = f" using {rule.latest.index} " in plan and "Sort" not in plan and "InitPlan" in plan
            done.append((_claim(f"a tenant's rows of {table} are ordered by {rule.latest.index}"), good))
    return [(claim, ROWS if good else NOTHING) for claim, good in done]


def _claim(text: str) -> Probe:
    return Probe("plans", text, (), ROWS)


def _plan(connection: psycopg.Connection, sql: str, claims: str, *off: str) -> str:
    """The plan as text, or the SQLSTATE of the refusal."""
    with connection.transaction(force_rollback=True):
        for setting in off:
            connection.execute("SELECT set_config(%s, 'off', true)", (setting,))
        connection.execute(
            "SELECT set_config('role', 'orka_app', true), set_config('request.jwt.claims', %s, true)",
            (claims,),
        )
        try:
            lines = connection.execute(f"EXPLAIN (COSTS OFF) {sql}".encode()).fetchall()
        except psycopg.Error as error:
            return str(error.sqlstate)
    return "\n".join(str(line[0]) for line in lines)
