"""What the database must do for whom: `behaviour.yaml`, read and checked. Pure."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Columns: TypeAlias = Literal["all"] | list[str]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Claims(_Strict):
    """What a session may carry, and what follows: one tenant's rows, an error (SQLSTATE), or no row."""

    text: str
    reaches: Literal["A", "B"] | None = None
    error: str | None = None


class Rights(_Strict):
    """What one role may do with one table; column by column where not all."""

    select: Columns = Field(default_factory=list)
    insert: Columns = Field(default_factory=list)
    update: Columns = Field(default_factory=list)
    delete: bool = False


class Latest(_Strict):
    """The query of a tenant's rows in an order, which `index` must answer without sorting."""

    index: str
    order: str
    where: str = "true"


class TableBehaviour(_Strict):
    """One table. A table without a `writer` is out of every client's reach and gets no row."""

    rights: dict[str, Rights]
    append_only: bool = False
    writer: str | None = None
    row: dict[str, str] = Field(default_factory=dict)
    computed: dict[str, str] = Field(default_factory=dict)
    """Columns whose value is an expression."""
    again: dict[str, str] = Field(default_factory=dict)
    """What makes a second row of the same tenant another one."""
    change: dict[str, str] = Field(default_factory=dict)
    """Values for columns that have no default to be set to."""
    refused: list[dict[str, str | None]] = Field(default_factory=list)
    set_by_trigger: list[str] = Field(default_factory=list)
    touched: str | None = None
    """The column that an update sets to the time."""
    latest: Latest | None = None


class Behaviour(_Strict):
    """The whole file."""

    claims: dict[str, Claims]
    owner: str
    clients: list[str]
    platform_clients: list[str]
    functions: dict[str, list[str]]
    tables: dict[str, TableBehaviour]


class BehaviourError(ValueError):
    """The file is not in order; the message names the place."""


def parse_behaviour(text: str) -> Behaviour:
    """Read `behaviour.yaml`."""
    try:
        return Behaviour.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise BehaviourError(f"behaviour.yaml is not YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise BehaviourError(f"behaviour.yaml: {place}: {first['msg']}") from None
