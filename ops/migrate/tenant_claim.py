"""Where in the claims the tenant stands: the installation's own matter, in a function of the owner's.

Not in a setting: any session may SET one, and could then name a claim that its user writes himself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ops.migrate.behaviour import Behaviour, Claims

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

DEFAULT = ("app_metadata", "tenant_id")
# Not by to_regprocedure: the admin need not have the right to look into the schema.
_BODY = """
    SELECT pg_get_function_sqlbody(p.oid) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = 'orka_audit' AND p.proname = 'tenant_claim' AND p.pronargs = 0
"""
_NAME = re.compile(r"'((?:[^']|'')+)'::text")


def read(connection: psycopg.Connection) -> tuple[str, ...]:
    """The path of this database; the default where the function names none, which the contract tells."""
    row = connection.execute(_BODY).fetchone()
    names = _NAME.findall(row[0]) if row and row[0] else []
    return tuple(name.replace("''", "'") for name in names) or DEFAULT


def at(path: Sequence[str], behaviour: Behaviour) -> Behaviour:
    """The behaviour with its claims' tenants at `path` in place of the default. Pure."""
    if tuple(path) == DEFAULT:
        return behaviour
    claims = {}
    for name, one in behaviour.claims.items():
        told = _told(one.text)
        tenant = _value(told, DEFAULT)
        if tenant is not None:
            claims[name] = one.model_copy(update={"text": json.dumps(_nested(path, tenant))})
        elif _value(told, path) is None:
            claims[name] = one
    decoy = Claims(text=json.dumps(_nested(DEFAULT, "{A}")))
    return behaviour.model_copy(update={"claims": {**claims, ".".join(DEFAULT): decoy}})


def _told(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _value(told: Any, path: Sequence[str]) -> Any:
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _nested(path: Sequence[str], value: Any) -> Mapping[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return dict(value)
