"""The probes of values, of the hash chain and of the search. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate.probe import NOTHING, ROWS, Probe, Step, Tenants, literal, name
from ops.migrate.probe_matrix import claims_text, insert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.migrate.behaviour import Behaviour
    from ops.migrate.contract import Contract

LOG, HEADS = "public.roche_audit_logs", "orka_audit.chain_heads"
_WHOLE = "SELECT 1 FROM orka_audit.verify_chain() WHERE problem IS NULL AND events = {}"
_BROKEN = "SELECT 1 FROM orka_audit.verify_chain() WHERE problem IS NOT NULL"


def seeds(behaviour: Behaviour, tenants: Tenants) -> Iterator[Probe]:
    """A row of both tenants in every table, by the role whose part it is, and a spare event."""
    for table, rule in behaviour.tables.items():
        for tenant in ("A", "B") if rule.writer else ():
            claims = claims_text(behaviour, tenants, tenant)
            tenants.rows[table, tenant] = tenants.events[tenant][0]
            rows = [insert(table, rule, tenants, tenant, again=False)]
            if table == LOG:
                rows.append(
                    insert(table, rule, tenants, tenant, other={"id": str(tenants.events[tenant][1])})
                )
            for row in rows:
                step = Step(str(rule.writer), row, claims)
                yield Probe(
                    "isolation", f"{rule.writer} INSERT of a row of {table}", (step,), ROWS, keep=True
                )


def values(behaviour: Behaviour, contract: Contract, tenants: Tenants) -> Iterator[Probe]:
    """What no row may hold, and what an update leaves behind."""
    claims = claims_text(behaviour, tenants, "A")
    for table, rule in behaviour.tables.items():
        if not rule.writer:
            continue
        refused: list[tuple[dict[str, str | None], str]] = [
            (dict(one), str(one["is"])) for one in rule.refused
        ]
        for column, definition in contract.tables[table].columns.items():
            if " not null" in definition and column not in ("tenant_id", *rule.set_by_trigger):
                refused.append(({column: None}, "23502"))
        refused.append(({"id": str(tenants.rows[table, "A"])}, "23505"))
        for given, expected in refused:
            given.pop("is", None)
            what = ", ".join(f"{column} {value!r}" for column, value in given.items())
            step = Step(rule.writer, insert(table, rule, tenants, "A", other=given), claims)
            yield Probe("values", f"INSERT into {table} of {what}", (step,), expected)
        if rule.touched:
            update = f"UPDATE {name(table)} SET is_active = false WHERE tenant_id = '{tenants.ids['A']}'"
            look = f"SELECT 1 FROM {name(table)} WHERE {name(rule.touched)} = now()"
            steps = (Step(rule.writer, update, claims), Step(rule.writer, look, claims))
            yield Probe("values", f"UPDATE of {table} sets {rule.touched}", steps, ROWS)


def chain(behaviour: Behaviour, contract: Contract, tenants: Tenants) -> Iterator[Probe]:
    """The chain continues, overrules its clients, covers every column, and shows what is done to it."""
    rule, owner, app = behaviour.tables[LOG], behaviour.owner, str(behaviour.tables[LOG].writer)
    claims, mine = claims_text(behaviour, tenants, "A"), f"tenant_id = '{tenants.ids['A']}'"
    log = name(LOG)

    def probe(what: str, *steps: Step, expected: str = ROWS) -> Probe:
        return Probe("chain", what, steps, expected)

    def look(sql: str) -> Step:
        return Step(app, sql, claims)

    append = look(insert(LOG, rule, tenants, "A"))
    for role in behaviour.clients:
        if rule.rights[role].select:
            yield probe(f"{role} finds the chain whole", Step(role, _WHOLE.format(2), claims))
    linked = f"SELECT 1 FROM {log} AS x JOIN {log} AS y ON y.previous_hash = x.hash AND y.seq = x.seq + 1"
    yield probe("each event continues the one before it", look(linked))
    yield probe("an appended event keeps the chain whole", append, look(_WHOLE.format(3)))
    forged = {"seq": "77", "hash": "a" * 64, "previous_hash": "b" * 64, "created_at": "2001-01-01T00:00:00Z"}
    kept = (
        f"SELECT 1 FROM {log} WHERE seq = 77 OR hash = '{'a' * 64}' OR created_at < now() - interval '1 day'"
    )
    send = look(insert(LOG, rule, tenants, "A", other=forged))
    yield probe("what a client sends for the chain does not count", send, look(kept), expected=NOTHING)
    yield probe("what a client sends leaves the chain whole", send, look(_WHOLE.format(3)))
    for column in contract.tables[LOG].columns:
        if column != "hash":
            other = (
                f"SELECT 1 FROM {log} AS e WHERE orka_audit.event_hash(e) IS DISTINCT FROM"
                f" orka_audit.event_hash(jsonb_populate_record(e, '{{\"{column}\": null}}'))"
            )
            yield probe(f"the hash covers {column}", look(other))
    zeros, bad = "0" * 64, "0" * 62
    for what, change in (
        ("another last hash", f"hash = '{zeros}'"),
        ("a head that is ahead", "seq = seq + 1"),
        ("a head that is behind", "seq = seq - 1"),
    ):
        tamper = Step(owner, f"UPDATE {name(HEADS)} SET {change} WHERE {mine}")
        yield probe(f"tampering is found: {what}", tamper, look(_BROKEN))
    for what, change, expected in (
        ("a number twice", "seq = 0", "23505"),
        ("a number below one", "seq = -5", "23514"),
        ("a hash that is none", f"hash = '{bad}'", "23514"),
    ):
        tamper = Step(owner, f"UPDATE {name(HEADS)} SET {change} WHERE {mine}")
        yield probe(f"a chain refuses {what}", tamper, append, expected=expected)
    skipped = Step(owner, f"UPDATE {name(HEADS)} SET seq = seq + 1 WHERE {mine}")
    yield probe("tampering is found: a gap", skipped, append, look(_BROKEN))
    found = "SELECT 1 FROM orka_audit.tenants_with_events() AS t"
    both = f"{found} WHERE t IN ({_both(tenants)}) HAVING count(*) = 2"
    yield probe("the jobs learn of both tenants", Step("orka_jobs", both, ""))


def search(behaviour: Behaviour, tenants: Tenants, home: str) -> Iterator[Probe]:
    """The nearest neighbours are the tenant's own, the nearest among them."""
    table = "public.audit_embeddings"
    rule, claims = behaviour.tables[table], claims_text(behaviour, tenants, "A")
    near, far = tenants.vector(), tenants.vector(-0.1)
    more = insert(table, rule.model_copy(update={"computed": {"embedding": far}}), tenants, "A")
    nearest = (
        f"SELECT 1 FROM (SELECT tenant_id, embedding OPERATOR({home}.<=>) ({near})::{home}.vector AS distance"
        f" FROM {name(table)} ORDER BY distance LIMIT 5) AS found"
        # Among millions of rows the approximate search may end before it comes to the far one.
        f" HAVING bool_and(tenant_id = {literal(str(tenants.ids['A']))})"
        " AND min(distance) < 0.0001 AND (count(*) = 1 OR max(distance) > 1.9)"
    )
    settings = (
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
        " set_config('enable_seqscan', 'on', true)"
    )
    for role, held in rule.rights.items():
        if held.select:
            steps = (
                Step("orka_jobs", more, claims),
                Step(role, settings, claims),
                Step(role, nearest, claims),
            )
            yield Probe("search", f"{role} finds its own tenant's nearest events", steps, ROWS)


def _both(tenants: Tenants) -> str:
    return ", ".join(literal(str(tenant)) for tenant in tenants.ids.values())
