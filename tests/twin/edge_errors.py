"""Requests through the twin's edge of which a part fails."""

from __future__ import annotations

import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.twin.alerts import await_that
from tests.twin.api import HOST
from tests.twin.conftest import PATHS
from tests.twin.load import Edge
from tests.twin.machine import apply, kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "/api/nowhere-of-a-test"
UNAVAILABLE = 503
# The requests of one round; a round takes two seconds.
ROUND, ROUND_S = 100, 2.0


@contextmanager
def nowhere() -> Iterator[None]:
    """A path of the API's host that leads to no Service: the edge answers 503."""
    backend = {"service": {"name": "nowhere", "port": {"number": 80}}}
    path = {"path": NOWHERE, "pathType": "Prefix", "backend": backend}
    apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "nowhere", "namespace": "staging"},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": HOST, "http": {"paths": [path]}}]},
        }
    )
    await_that("the edge knows it", lambda: status(NOWHERE) == UNAVAILABLE)
    yield
    kubectl("--namespace", "staging", "delete", "ingress", "nowhere")


def status(path: str) -> int:
    """The status; 0 where the twin's edge, which is being told of an Ingress, closes the connection."""
    connection = Edge(HOST, context=ssl.create_default_context(cafile=str(PATHS.ca)), timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()


def requests(failing: int, seconds: float) -> None:
    """So many of a hundred requests fail, spread evenly."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        begun = time.monotonic()
        for number in range(ROUND):
            bad = number * failing // ROUND != (number + 1) * failing // ROUND
            path, wanted = (NOWHERE, UNAVAILABLE) if bad else ("/health/redis", 200)
            assert status(path) == wanted
        time.sleep(max(0.0, ROUND_S - (time.monotonic() - begun)))
