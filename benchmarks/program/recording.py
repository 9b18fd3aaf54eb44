"""What a program registered, as JSON: to be registered again, and to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

if TYPE_CHECKING:
    from benchmarks.program.engine import Seen

VARIABLE = "ORKA_RECORDING"
# The key by which the protocol tells a secret from an object.
MARK = "4dabf18193072939515e22adb298388d"
STACK = "pulumi:pulumi:Stack"


def recording(seen: Seen) -> dict[str, Any]:
    """Every resource but the stack itself, in the order of registration, and the stack's outputs."""
    resources = [
        {
            "urn": urn,
            "type": request.type,
            "name": request.name,
            "custom": request.custom,
            "parent": "" if STACK in request.parent else request.parent,
            "dependencies": sorted(request.dependencies),
            "version": request.version,
            "inputs": json_format.MessageToDict(request.object),
            "outputs": seen.completed.get(urn, {}),
        }
        for request, urn in zip(seen.registered, seen.urns, strict=True)
        if request.type != STACK
    ]
    exports = next(outputs for urn, outputs in seen.completed.items() if STACK in urn)
    return {"resources": resources, "exports": exports}


def registered(seen: Seen) -> dict[str, tuple[Any, ...]]:
    """By URN what the engine acts on: the inputs, what it waits for, the outputs."""
    return {
        one["urn"]: (one["inputs"], one["dependencies"], one["outputs"])
        for one in recording(seen)["resources"]
    }
