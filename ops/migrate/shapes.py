"""Tables made by hand: the catalogs that an adoption recognises, and how a database differs from them. Pure.

A shape is a file of the migration (`from/*.yaml`), its tables in the form that `ops migrate catalog` prints.
Columns and constraints must be equal by definition. Indexes, policies and triggers must be there by name, no
others: the adoption carries none of them over. Owners and grants are the platform's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.migrate.contract import Table, table_facts
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BY_DEFINITION = ("column", "constraint", "row security of")
# What may change while an adoption is under way.
_NEVER_MIND = ("index ", "policy ")
# What it puts on each of the originals, to fire whatever a session says it is.
_TRIGGERS, _FIRES = ("orka_note_change", "orka_refuse_change"), "[always]"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShapePart(_Strict):
    """What a table has; all parts are optional, so that a shape may only add to another one."""

    row_security: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    constraints: dict[str, str] = Field(default_factory=dict)
    indexes: dict[str, str] = Field(default_factory=dict)
    policies: dict[str, str] = Field(default_factory=dict)


class Shape(_Strict):
    """One file; `title` is what a person calls it."""

    title: str
    extends: str | None = None
    """Name of another shape's file, without its ending."""
    without: list[str] = Field(default_factory=list)
    """Facts of that one which are not so here."""
    may_lack: list[str] = Field(default_factory=list)
    """Facts that are so in some databases of this shape."""
    tables: dict[str, ShapePart]


def parse_shapes(files: Mapping[str, str]) -> dict[str, Shape]:
    """Shapes by the name of their file; raise REFUSED for one that is not in order."""
    shapes = {}
    for path, text in files.items():
        try:
            shapes[path.rpartition("/")[2].removesuffix(".yaml")] = Shape.model_validate(yaml.safe_load(text))
        except (yaml.YAMLError, ValidationError) as error:
            raise MigrateError(
                ExitCode.REFUSED, f"{path} is not a shape: {str(error).splitlines()[0]}"
            ) from None
    return shapes


def nearest(shapes: Mapping[str, Shape], found: Mapping[str, Table]) -> tuple[str, list[str]]:
    """Title of the shape that differs least from `found`, and the differences: none if it is that shape."""
    observed: dict[str, str] = {}
    for name, table in found.items():
        observed |= _comparable(table_facts(name, table))
    judged = [(shape.title, _differences(shapes, shape, observed)) for shape in shapes.values()]
    return min(judged, key=lambda one: len(one[1]))


def changes(
    shapes: Mapping[str, Shape],
    title: str,
    found: Mapping[str, Table],
    *,
    noted: bool,
    dropped: Mapping[str, str],
) -> list[str]:
    """How `found` differs from the shape of that title, once an adoption has begun.

    Args:
        shapes: by the name of their file.
        title: what the baseline recorded.
        found: tables by name, as observed.
        noted: whether the adoption's triggers are to be there.
        dropped: definitions of the constraints that it dropped, by fact.
    """
    shape = next((one for one in shapes.values() if one.title == title), None)
    if shape is None:
        return ["this program knows no such shape"]
    observed, faults = dict(dropped), []
    for name, table in found.items():
        firing = [one for one in _TRIGGERS if table.triggers.get(one, "").endswith(_FIRES)] if noted else []
        ours = {f"trigger {name}.{one}" for one in firing}
        faults += [
            f"missing: trigger {name}.{one} {_FIRES}" for one in _TRIGGERS if noted and one not in firing
        ]
        observed |= {
            key: text for key, text in _comparable(table_facts(name, table)).items() if key not in ours
        }
    faults += _differences(shapes, shape, observed)
    return [one for one in faults if not one.partition(": ")[2].startswith(_NEVER_MIND)]


def _differences(shapes: Mapping[str, Shape], shape: Shape, observed: Mapping[str, str]) -> list[str]:
    expected, optional = _facts(shapes, shape)
    missing = [f"missing: {key}" for key in expected if key not in observed and key not in optional]
    unexpected = [f"unexpected: {key}" for key in observed if key not in expected]
    different = [
        f"different: {key} (expected {text}; found {observed[key]})"
        for key, text in expected.items()
        if key in observed and observed[key] != text
    ]
    return sorted([*missing, *unexpected, *different])


def _facts(shapes: Mapping[str, Shape], shape: Shape) -> tuple[dict[str, str], set[str]]:
    """What a shape expects, and which of it may be lacking."""
    expected, optional = _facts(shapes, shapes[shape.extends]) if shape.extends else ({}, set())
    for name, part in shape.tables.items():
        table = Table(
            owner="",
            row_security=part.row_security or "",
            columns=part.columns,
            constraints=part.constraints,
            indexes=part.indexes,
            policies={},
            triggers={},
            grants={},
        )
        added = _comparable(table_facts(name, table))
        if part.row_security is None:
            del added[f"row security of {name}"]
        expected |= added | {f"policy {name}.{policy}": "" for policy in part.policies}
    return {key: text for key, text in expected.items() if key not in shape.without}, optional | set(
        shape.may_lack
    )


def _comparable(facts: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {
        key: text if key.startswith(_BY_DEFINITION) else ""
        for key, text in facts
        if not key.startswith("grant ")
    }
