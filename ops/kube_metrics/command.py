"""`ops kube-metrics`: pods, jobs and Deployments for Prometheus, in kube-state-metrics' words."""

from __future__ import annotations

import logging
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

from ops.kube_metrics.api import ApiServer, address
from ops.kube_metrics.exposition import text
from ops.serving import add_address, log_to_stderr, until_told

if TYPE_CHECKING:
    import argparse

log = logging.getLogger(__name__)
CLIENT_S = 10
CONTENT_TYPE = "text/plain; version=0.0.4"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `kube-metrics`."""
    parser = subparsers.add_parser(
        "kube-metrics",
        help="serve what Prometheus asks about pods and jobs",
        description=__doc__,
        epilog="environment: ORKA_NAMESPACE; exit codes: 0 told to end, 2 not in a pod, or address taken",
    )
    add_address(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to end; the exit code."""
    log_to_stderr()
    server_address, namespace = address(), os.environ.get("ORKA_NAMESPACE")
    if server_address is None or not namespace:
        print("ops kube-metrics: runs in a pod, with ORKA_NAMESPACE set", file=sys.stderr)
        return 2
    try:
        server = serve(ApiServer(server_address, namespace), args.host, args.port)
    except OSError as error:
        print(f"ops kube-metrics: cannot listen on port {args.port}: {error.strerror}", file=sys.stderr)
        return 2
    until_told(server)
    return 0


def serve(cluster: ApiServer, host: str, port: int) -> ThreadingHTTPServer:
    """Return the server, listening; the caller runs it. `/` says that it runs."""

    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_S
        server_version = "orka-kube-metrics"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path == "/":
                return self._send(200, "running\n")
            if self.path != "/metrics":
                return self._send(404, "there is /metrics\n")
            try:
                return self._send(200, text(cluster.series()))
            except (httpx.HTTPError, OSError, KeyError, ValueError) as error:
                # Prometheus calls a target down that answers so: no data must never look like good data.
                log.warning("the API server's answer is of no use: %s: %s", type(error).__name__, error)
                return self._send(503, f"{type(error).__name__}\n")

        def log_message(self, *_: object) -> None:
            """Asked all the time."""

        def _send(self, status: int, words: str) -> None:
            body = words.encode()
            self.send_response(status)
            self.send_header("content-type", CONTENT_TYPE)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer((host, port), Handler)
