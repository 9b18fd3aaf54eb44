"""What must exist after the migrations, and how a database differs from it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ops.migrate.behaviour import Behaviour  # noqa: TC001 - pydantic reads the annotation
from ops.migrate.widening import is_widened

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing of the audit trail is for these, whatever else a later program adds.
FORBIDDEN_ROLES = frozenset({"public", "anon", "service_role"})
# Behind a right that may be handed on; of a function, behind the role.
_OPTION = " WITH GRANT OPTION"
_NOBODY: frozenset[str] = frozenset()
# (name of the object, (its definition, the roles that it concerns))
_Fact: TypeAlias = tuple[str, tuple[str, frozenset[str]]]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Policy(_Strict):
    """One row security policy; expressions as the server prints them."""

    command: str
    roles: list[str]
    using: str | None = None
    check: str | None = None


class Table(_Strict):
    """One table; definitions as the server prints them, by exact name."""

    owner: str
    row_security: str
    columns: dict[str, str]
    constraints: dict[str, str]
    indexes: dict[str, str]
    policies: dict[str, Policy]
    triggers: dict[str, str]
    grants: dict[str, list[str]]


class Function(_Strict):
    """One function; `source` is the first 16 hex digits of the SHA-256 of its body."""

    definition: str
    owner: str
    source: str
    execute: list[str]


class Schema(_Strict):
    """One schema; what roles other than its owner may do with it."""

    owner: str
    grants: dict[str, list[str]]


class Catalog(_Strict):
    """A part of a database's catalog: expected (the contract) or observed."""

    tables: dict[str, Table]
    functions: dict[str, Function]
    schemas: dict[str, Schema]
    roles: dict[str, str]


class Contract(Catalog):
    """The expected catalog after the migration `version`."""

    version: str
    guide_tables: list[str]
    """The nine tables of the deployment guide, in its order."""
    optional_roles: list[str]
    """Roles that the platform may have; what concerns them is expected only where they exist."""
    absent_functions: list[str]
    behaviour: Behaviour | None = None
    """What follows for each role, from a file of its own; without it nothing is tried out."""


class Finding(_Strict):
    """One difference: `fault` is missing, different or unexpected."""

    fault: str
    object: str
    detail: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.fault}: {self.object}" + (f" ({self.detail})" if self.detail else "")


class ContractError(ValueError):
    """The contract itself is not in order; the message names the place."""


def parse_contract(text: str) -> Contract:
    """Read `contract.yaml`."""
    try:
        return Contract.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ContractError(f"contract.yaml is not YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise ContractError(f"contract.yaml: {place}: {first['msg']}") from None


def compare(contract: Contract, observed: Catalog, *, newer_schema: bool) -> list[Finding]:
    """Differences between contract and database.

    With `newer_schema` (a newer program migrated further) everything of the contract must still exist and be
    protected, but definitions may have been widened and other objects may have come.
    """
    absent = {role for role in contract.optional_roles if role not in observed.roles}
    expected = {key: text for key, (text, roles) in _flatten(contract) if not (roles and roles <= absent)}
    actual = {key: (text, roles) for key, (text, roles) in _flatten(observed)}
    findings = [Finding(fault="missing", object=key) for key in expected if key not in actual]
    for key, text in expected.items():
        found = actual[key][0] if key in actual else text
        if found != text and not (newer_schema and is_widened(key, text, found)):
            findings.append(Finding(fault="different", object=key, detail=f"expected {text}; found {found}"))
    for key, (text, roles) in actual.items():
        if key not in expected and not (newer_schema and not roles & FORBIDDEN_ROLES):
            findings.append(Finding(fault="unexpected", object=key, detail=text))
    return sorted(findings, key=lambda finding: (finding.object, finding.fault))


def counts(catalog: Catalog) -> dict[str, int]:
    """How many objects of each kind were compared."""
    tables = catalog.tables.values()
    return {
        "tables": len(catalog.tables),
        "columns": sum(len(table.columns) for table in tables),
        "constraints": sum(len(table.constraints) for table in tables),
        "indexes": sum(len(table.indexes) for table in tables),
        "policies": sum(len(table.policies) for table in tables),
        "triggers": sum(len(table.triggers) for table in tables),
        "grants": sum(len(rights) for table in tables for rights in table.grants.values()),
        "functions": len(catalog.functions),
    }


def table_facts(name: str, table: Table) -> list[tuple[str, str]]:
    """(object's name as a finding shows it, its definition) of everything a table has."""
    return [(key, text) for key, (text, _) in _flatten_table(name, table)]


def _flatten(catalog: Catalog) -> Iterator[_Fact]:
    for role, attributes in catalog.roles.items():
        yield f"role {role}", (attributes, frozenset({role}))
    for name, schema in catalog.schemas.items():
        yield f"schema {name}", (f"owner {schema.owner}", _NOBODY)
        yield from _grants(f"schema {name}", schema.grants)
    for name, function in catalog.functions.items():
        text = f"{function.definition}, owner {function.owner}, source {function.source}"
        yield f"function {name}", (text, _NOBODY)
        for user in function.execute:
            yield _grant("EXECUTE", f"function {name}", user)
    for name, table in catalog.tables.items():
        yield from _flatten_table(name, table)


def _flatten_table(name: str, table: Table) -> Iterator[_Fact]:
    yield f"table {name}", (f"owner {table.owner}", _NOBODY)
    yield f"row security of {name}", (table.row_security, _NOBODY)
    definitions = {
        "column": table.columns,
        "constraint": table.constraints,
        "index": table.indexes,
        "trigger": table.triggers,
    }
    for kind, parts in definitions.items():
        for part, text in parts.items():
            yield f"{kind} {name}.{part}", (text, _NOBODY)
    for part, policy in table.policies.items():
        text = f"{policy.command} to {', '.join(policy.roles)} using {policy.using} check {policy.check}"
        yield f"policy {name}.{part}", (text, frozenset(policy.roles))
    yield from _grants(name, table.grants)


def _grants(on: str, grants: dict[str, list[str]]) -> Iterator[_Fact]:
    return (_grant(right, on, user) for user, rights in grants.items() for right in rights)


def _grant(right: str, on: str, user: str) -> _Fact:
    """The option is no other right, but makes the same one another."""
    name, plain = user.removesuffix(_OPTION), right.removesuffix(_OPTION)
    text = "granted" if (name, plain) == (user, right) else f"granted{_OPTION.lower()}"
    return f"grant {plain} on {on} to {name}", (text, frozenset({name}))
