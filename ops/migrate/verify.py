"""Compare a database with the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.migrate import catalog
from ops.migrate.contract import Catalog, Contract, Finding, compare, counts

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Verdict:
    """What was found; no findings means that the contract is fulfilled."""

    guide_tables: tuple[str, ...]
    """Those of the guide's tables that exist, in its order."""
    proved: dict[str, int]
    """How many objects of each kind were compared."""
    findings: tuple[Finding, ...]

    @property
    def summary(self) -> str:
        """One line for a failure."""
        return f"the database does not fulfil the contract, {len(self.findings)} difference(s)"


def verify(connection: psycopg.Connection, contract: Contract, *, newer_schema: bool) -> Verdict:
    """Judge the database; reads only. Must run in a transaction."""
    observed = observe(connection, contract)
    findings = compare(contract, observed, newer_schema=newer_schema)
    findings += [
        Finding(fault="unexpected", object=f"function {name}", detail="runs any SQL it is given")
        for name in catalog.existing_functions(connection, contract.absent_functions)
    ]
    return Verdict(
        guide_tables=tuple(name for name in contract.guide_tables if f"public.{name}" in observed.tables),
        proved=counts(observed),
        findings=tuple(findings),
    )


def observe(connection: psycopg.Connection, contract: Contract) -> Catalog:
    """The part of the database's catalog that the contract speaks of."""
    roles = [role for role in contract.roles if role not in contract.optional_roles]
    return catalog.observe(connection, list(contract.tables), roles, contract.optional_roles)
