"""The schema that editors use is the model's, and says of a stack file what the program would."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from model.secrets import SECRET_KEYS
from model.stack_schema import stack_schema
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS

if TYPE_CHECKING:
    from pathlib import Path

FILE: Path = CHECKOUT / "manifests" / "stack.schema.json"


def _committed() -> dict[str, Any]:
    return dict(yaml.safe_load((CHECKOUT / "Pulumi.staging.yaml").read_text()))


def _refused(document: dict[str, Any]) -> list[str]:
    schema = json.loads(FILE.read_text())
    return [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def test_the_schema_is_the_models(request: pytest.FixtureRequest) -> None:
    wanted = json.dumps(stack_schema(), indent=2, sort_keys=True) + "\n"
    if request.config.getoption("--update-golden"):
        FILE.write_text(wanted)
    assert FILE.read_text() == wanted, "the settings changed: pytest --update-golden"
    jsonschema.Draft202012Validator.check_schema(json.loads(wanted))


def test_the_stack_file_names_it_and_passes() -> None:
    first, _, _ = (CHECKOUT / "Pulumi.staging.yaml").read_text().partition("\n")
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (CHECKOUT / named).resolve() == FILE
    assert _refused(_committed()) == []


def _keys(schema: dict[str, Any], part: dict[str, Any], inside: tuple[str, ...] = ()) -> set[str]:
    """Every key at any depth of a part of the schema."""
    name = part.get("$ref", "").rpartition("/")[2]
    if name:
        return set() if name in inside else _keys(schema, schema["$defs"][name], (*inside, name))
    lower = [*part.get("anyOf", []), *part.get("oneOf", []), *part.get("properties", {}).values()]
    lower += [each for key in ("items", "additionalProperties") if isinstance(each := part.get(key), dict)]
    return set(part.get("properties", {})).union(*(_keys(schema, each, inside) for each in lower))


def _unexplained(text: str) -> list[str]:
    """The keys of the model that do not stand in the section of their group."""
    schema = stack_schema()
    groups = schema["properties"]["config"]["properties"]
    _, *parts = re.split(r"^  orka-ppm:([a-z-]+):$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert sections.keys() == {name.removeprefix("orka-ppm:") for name in groups} - SECRET_KEYS
    # What an image asks for is explained once.
    sections["frontend"] += sections["backend"]
    found = []
    for group, section in sections.items():
        name = groups[f"orka-ppm:{group}"]["$ref"].rpartition("/")[2]
        first = set(schema["$defs"][name]["properties"])
        # A key of the group itself has a line of its own, perhaps commented out; one below it is a word.
        lines = {key for key in first if not re.search(rf"^ +(?:# )?{key}:", section, re.MULTILINE)}
        below = _keys(schema, groups[f"orka-ppm:{group}"]) - first
        words = {key for key in below if not re.search(rf"(?<![\w-]){key}(?![\w-])", section)}
        found += [f"{group}: {key}" for key in lines | words]
    return sorted(found)


def test_every_key_is_explained_in_the_stack_file() -> None:
    text = (CHECKOUT / "Pulumi.staging.yaml").read_text()
    assert _unexplained(text) == []
    shorter = text.replace("base-image", "image").replace("    public:", "    all:")
    assert _unexplained(shorter) == ["images: base-image", "network: public"]


def test_what_pulumi_itself_writes_passes() -> None:
    document = _committed()
    document |= {"secretsprovider": "passphrase", "encryptionsalt": "v1:x", "encryptedkey": "x"}
    document["environment"] = ["staging"]
    document["config"] |= {f"orka-ppm:{key}": {"secure": "v1:ciphertext"} for key in SECRETS}
    document["config"]["kubernetes:context"] = "elsewhere"
    assert _refused(document) == []


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("backend", "replicaz", 2),
        ("backend", "replicas", "two"),
        ("backend", "log-level", "LOUD"),
        ("edge", "api-host", "https://api.example.com"),
        ("cluster", "namespace", "Staging"),
    ],
)
def test_what_the_program_would_refuse_is_marked(group: str, key: str, value: Any) -> None:
    document = copy.deepcopy(_committed())
    document["config"][f"orka-ppm:{group}"][key] = value
    assert any(f"orka-ppm:{group}" in path for path in _refused(document))


def test_a_secret_in_plain_text_and_an_unknown_group_are_marked() -> None:
    document = _committed()
    document["config"]["orka-ppm:jwt-secret"] = "in plain text"
    document["config"]["orka-ppm:backned"] = {}
    assert sorted(_refused(document)) == ["$.config", "$.config['orka-ppm:jwt-secret']"]
