"""The stand-in for the Python language host answers as the official one was recorded to do.

Left out: `Run`, which the tests on the twin do with the real engine.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from typing import Any

import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2

from tests.plugins import compare, replay
from twin.plugins.langhost import LanguageHost

FILE = "docker-up.jsonl"
REQUESTS = {
    "GetPluginInfo": empty_pb2.Empty,
    "About": language_pb2.AboutRequest,
    "GetRequiredPackages": language_pb2.GetRequiredPackagesRequest,
    "Cancel": empty_pb2.Empty,
}


def same(path: str, recorded: Any, got: Any) -> bool:
    """The fields that are not equal, all of them: they speak of the machine that it runs on."""
    if path == ".executable":
        return recorded == "/program" and got == sys.executable
    if path == ".version":
        return re.fullmatch(r"3\.\d+\.\d+", str(recorded)) is not None and got == platform.python_version()
    numbers = [re.match(r"\d+\.", str(text)) for text in (recorded, got)]
    return path == ".metadata.toolchainVersion" and all(numbers)


def recorded() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Method, request and response of the host's calls."""
    found = []
    for text in (replay.WIRE / FILE).read_text().splitlines():
        record = json.loads(text)
        service, method = record["method"].split("/")[1:]
        if service == "pulumirpc.LanguageRuntime" and method in REQUESTS:
            found.append((method, record["request"], record["response"]))
    return found


def answer(method: str, request: dict[str, Any]) -> dict[str, Any]:
    if "info" in request:
        # The recorded virtual environment is not here: this interpreter answers for it.
        request = {"info": {**request["info"], "options": {}}}
    message = json_format.ParseDict(request, REQUESTS[method]())
    return json_format.MessageToDict(getattr(LanguageHost(""), method)(message, None))


@pytest.mark.parametrize("method", REQUESTS)
def test_every_recorded_call_is_answered_as_recorded(method: str) -> None:
    found = [(request, response) for name, request, response in recorded() if name == method]
    assert found
    for request, response in found:
        assert list(compare.differences(response, answer(method, request), same)) == []


def test_a_corrupted_recorded_field_is_noticed() -> None:
    [(request, response)] = [(q, r) for name, q, r in recorded() if name == "GetRequiredPackages"]
    got = answer("GetRequiredPackages", request)
    for package in response["packages"]:
        corrupted = {"packages": [other for other in response["packages"] if other != package]}
        assert list(compare.differences(corrupted, got, same)) != []
