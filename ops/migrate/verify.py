"""Compare a database with the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ops.migrate import catalog, members, surroundings, tenant_claim, trial
from ops.migrate.contract import Catalog, Contract, Finding, compare, counts

if TYPE_CHECKING:
    import psycopg

# A table that is gone fails hundreds of probes.
_SHOWN = 40


@dataclass(frozen=True)
class Verdict:
    """What was found; no findings means that the contract is fulfilled."""

    guide_tables: tuple[str, ...]
    """Those of the guide's tables that exist, in its order."""
    proved: dict[str, int]
    """How many objects of each kind were compared."""
    findings: tuple[Finding, ...]
    tried: dict[str, int] = field(default_factory=dict)
    """How many probes of behaviour of each kind were run."""
    left_out: tuple[str, ...] = ()
    """What was not tried out, and why."""

    @property
    def summary(self) -> str:
        """One line for a failure."""
        return f"the database does not fulfil the contract, {len(self.findings)} difference(s)"


def verify(connection: psycopg.Connection, contract: Contract, *, newer_schema: bool) -> Verdict:
    """Judge the database. Must run in a transaction: a read-only one compares, another one also tries out."""
    verdict = compare_catalog(connection, contract, newer_schema=newer_schema)
    if trial.read_only(connection):
        return verdict
    return try_out(connection, contract, verdict, newer_schema=newer_schema)


def compare_catalog(connection: psycopg.Connection, contract: Contract, *, newer_schema: bool) -> Verdict:
    """Compare definitions alone; reads only. Must run in a transaction."""
    observed = observe(connection, contract)
    findings = compare(contract, observed, newer_schema=newer_schema)
    findings += [
        Finding(fault="unexpected", object=f"function {name}", detail="runs any SQL it is given")
        for name in catalog.existing_functions(connection, contract.absent_functions)
    ]
    findings += surroundings.faults(connection, list(contract.tables))
    findings += members.faults(connection, contract)
    return Verdict(
        guide_tables=tuple(name for name in contract.guide_tables if f"public.{name}" in observed.tables),
        proved=counts(observed),
        findings=tuple(findings),
    )


def try_out(
    connection: psycopg.Connection, contract: Contract, verdict: Verdict, *, newer_schema: bool
) -> Verdict:
    """The verdict with what the probes of behaviour found; they write, and roll back what they wrote."""
    if contract.behaviour is None:
        return verdict
    if newer_schema:
        return replace(verdict, left_out=("behaviour was not tried out: a newer program knows what it is",))
    behaviour = tenant_claim.at(tenant_claim.read(connection), contract.behaviour)
    probed = trial.probe(connection, behaviour, contract)
    found = probed.findings
    if len(found) > _SHOWN:
        more = Finding(fault="behaves otherwise", object=f"{len(found) - _SHOWN} more probes")
        found = (*found[:_SHOWN], more)
    findings = (*verdict.findings, *found)
    return replace(verdict, findings=findings, tried=probed.counts, left_out=probed.left_out)


def observe(connection: psycopg.Connection, contract: Contract) -> Catalog:
    """The part of the database's catalog that the contract speaks of."""
    roles = [role for role in contract.roles if role not in contract.optional_roles]
    return catalog.observe(connection, list(contract.tables), roles, contract.optional_roles)
