"""Which Python a program or a policy pack runs with, and which plugins its packages ask for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

FIND_PLUGINS = """
import importlib.metadata as m, json, pathlib
found = []
for d in m.distributions():
    name = (d.metadata["Name"] or "").replace("-", "_")
    if name.startswith("pulumi_"):
        for file in d.files or []:
            if file.name == "pulumi-plugin.json" and len(file.parts) == 2:
                found.append([name, d.version, json.loads(pathlib.Path(d.locate_file(file)).read_text())])
print(json.dumps(found))
"""


def python_of(info: Any) -> str:
    """The interpreter of the virtual environment that is configured, this one where none is."""
    folder = virtualenv(info)
    if not folder:
        return sys.executable
    python = Path(info.root_directory) / folder / "bin" / "python"
    if not python.exists():
        message = f"{python} does not exist: run `pulumi install` in {info.root_directory}"
        raise FileNotFoundError(message)
    return str(python)


def virtualenv(info: Any) -> str:
    """The folder of the virtual environment, as the project file names it."""
    options: struct_pb2.Struct = info.options
    return str(options.fields["virtualenv"].string_value) if "virtualenv" in options.fields else ""
