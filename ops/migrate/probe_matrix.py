"""The probes of isolation: roles x verbs x claims on every table, from `behaviour.yaml`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from ops.migrate.probe import (
    APPEND_ONLY,
    DENIED,
    FIRST_ROW,
    NOTHING,
    ROWS,
    Probe,
    Step,
    Tenants,
    literal,
    name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ops.migrate.behaviour import Behaviour, Claims, Columns, Rights, TableBehaviour
    from ops.migrate.contract import Contract

# Fails for the first row that it is shown, before anything is locked or changed; reads no column.
_FIRST_ROW_FAILS = "random()::integer / 0 = 0"
_TENANTS = ("A", "B")


def insert(
    table: str,
    rule: TableBehaviour,
    tenants: Tenants,
    tenant: str,
    *,
    again: bool = True,
    other: Mapping[str, str | None] | None = None,
) -> str:
    """An INSERT of a row of a tenant; `other` overrides columns."""
    row = {**rule.row, **(rule.again if again else {}), **(other or {})}
    identity = str(uuid4()) if again else str(tenants.rows[table, tenant])
    values = {
        column: literal(
            None if text is None else tenants.fill(text, tenant, spare=again).replace("{id}", identity)
        )
        for column, text in row.items()
    }
    values |= {
        column: tenants.fill(text, tenant) for column, text in rule.computed.items() if column not in row
    }
    return f"INSERT INTO {name(table)} ({', '.join(map(name, values))}) VALUES ({', '.join(values.values())})"


def claims_text(behaviour: Behaviour, tenants: Tenants, which: str) -> str:
    """The claims with this run's tenants in them."""
    return tenants.fill(behaviour.claims[which].text)


def unclaimed(behaviour: Behaviour, tenants: Tenants, roles: Sequence[str]) -> Iterator[Probe]:
    """What a session does that never heard of claims; must come before any claims are set."""
    for table, rule in behaviour.tables.items():
        for role in roles if rule.writer else ():
            rights = rule.rights.get(role)
            seen = NOTHING if role == behaviour.owner or (rights and rights.select) else DENIED
            yield _one(
                "isolation",
                f"{role} SELECT on {table} without claims",
                role,
                f"SELECT 1 FROM {name(table)} LIMIT 1",
                seen,
            )
            written = insert(table, rule, tenants, "A")
            yield _one("isolation", f"{role} INSERT into {table} without claims", role, written, DENIED)


def rights(behaviour: Behaviour, contract: Contract, roles: Sequence[str]) -> Iterator[Probe]:
    """What each role may do at all, by column, on no row; and that nobody truncates."""
    for table, rule in behaviour.tables.items():
        columns = list(contract.tables[table].columns)
        for role in roles:
            held = rule.rights.get(role)
            yield from _column_rights(table, columns, role, held)
            where, may = f"{table} by {role}", held is not None and held.delete
            delete = f"DELETE FROM {name(table)} WHERE false"
            yield _one("rights", f"DELETE on {where}", role, delete, NOTHING if may else DENIED)
            # A TRUNCATE that is allowed locks everybody out, so it is only tried where it must be refused.
            guard = f"has_table_privilege('{name(table)}', 'TRUNCATE')"
            step = Step(role, f"TRUNCATE {name(table)}", unless=guard)
            yield Probe("rights", f"TRUNCATE of {where}", (step,), DENIED)
    for call, allowed in behaviour.functions.items():
        for role in roles:
            expected = ROWS if role in allowed else DENIED
            yield _one("rights", f"call of {call} by {role}", role, f"SELECT {call} LIMIT 1", expected, "")


def reach(behaviour: Behaviour, tenants: Tenants, roles: Sequence[str]) -> Iterator[Probe]:
    """Whose rows each role reaches with each claims; the rows of both tenants must be there."""
    for which, claims in behaviour.claims.items():
        text = claims_text(behaviour, tenants, which)
        for table, rule in behaviour.tables.items():
            for role in roles if rule.writer else ():
                for what, sql, expected in _reach(table, rule, tenants, role, claims, behaviour.owner):
                    yield _one("isolation", f"{role} {what} with claims {which}", role, sql, expected, text)


def _column_rights(table: str, columns: list[str], role: str, held: Rights | None) -> Iterator[Probe]:
    where = name(table)
    for column in columns:
        one = name(column)
        for verb, allowed, sql in (
            ("SELECT", held.select if held else [], f"SELECT {one} FROM {where} WHERE false"),
            ("INSERT", held.insert if held else [], f"INSERT INTO {where} ({one}) SELECT NULL WHERE false"),
            ("UPDATE", held.update if held else [], f"UPDATE {where} SET {one} = DEFAULT WHERE false"),
        ):
            expected = NOTHING if _allows(allowed, column) else DENIED
            yield _one("rights", f"{verb} of {table}.{column} by {role}", role, sql, expected)


def _reach(
    table: str, rule: TableBehaviour, tenants: Tenants, role: str, claims: Claims, owner: str
) -> Iterator[tuple[str, str, str]]:
    """(what, statement, expected) for one role, table and claims."""
    where, held, is_owner = name(table), rule.rights.get(role), role == owner
    a, b = (f"'{tenants.ids[tenant]}'" for tenant in _TENANTS)

    def expected(allowed: Columns | bool, tenant: str | None) -> str:
        if is_owner:
            return NOTHING
        if not allowed:
            return DENIED
        return claims.error or (ROWS if tenant and tenant == claims.reaches else NOTHING)

    may = {verb: getattr(held, verb) if held else False for verb in ("select", "insert", "update", "delete")}
    if not claims.error:
        # With broken claims an empty answer is as good as an error here: nothing was there to judge.
        others = f"SELECT 1 FROM {where} WHERE tenant_id <> {a} AND tenant_id <> {b} LIMIT 1"
        yield f"SELECT of others' rows of {table}", others, expected(may["select"], None)
    change = _change(rule, may["update"])
    changed = APPEND_ONLY if is_owner and rule.append_only else None
    for tenant in _TENANTS:
        mine, whose = f"tenant_id = '{tenants.ids[tenant]}'", f"{tenant}'s row of {table}"
        yield f"SELECT of {whose}", f"SELECT 1 FROM {where} WHERE {mine}", expected(may["select"], tenant)
        inserted = expected(may["insert"], tenant)
        yield (
            f"INSERT of {whose}",
            insert(table, rule, tenants, tenant),
            DENIED if inserted == NOTHING else inserted,
        )
        update, delete = f"UPDATE {where} SET {change} WHERE {mine}", f"DELETE FROM {where} WHERE {mine}"
        yield f"UPDATE of {whose}", update, changed or expected(may["update"], tenant)
        yield f"DELETE of {whose}", delete, changed or expected(may["delete"], tenant)
    for verb, sql in (("update", f"UPDATE {where} SET {change}"), ("delete", f"DELETE FROM {where}")):
        # Without reading a column: only the policy of the verb itself stands between the role and the rows.
        met = expected(may[verb], claims.reaches)
        met = FIRST_ROW if met == ROWS else met
        yield f"blind {verb.upper()} of {table}", f"{sql} WHERE {_FIRST_ROW_FAILS}", changed or met
    if claims.reaches == "A" and may["update"]:
        moved = f"UPDATE {where} SET tenant_id = {b} WHERE tenant_id = {a}"
        yield f"UPDATE of the tenant of A's row of {table}", moved, DENIED


def _change(rule: TableBehaviour, allowed: Columns | bool) -> str:
    column = next(iter(rule.change), allowed[0] if isinstance(allowed, list) and allowed else "id")
    return f"{name(column)} = {literal(rule.change[column]) if column in rule.change else 'DEFAULT'}"


def _allows(allowed: Columns, column: str) -> bool:
    return allowed == "all" or column in allowed


def _one(kind: str, what: str, role: str, sql: str, expected: str, claims: str | None = None) -> Probe:
    return Probe(kind, what, (Step(role, sql, claims),), expected)
