"""Entry: `python -m twin.plugins.kubernetes [ENGINE_ADDRESS]`, started by the engine."""

from __future__ import annotations

import os
import sys

from pulumi.runtime.proto import provider_pb2_grpc

from twin.plugins import wire
from twin.plugins.engine_log import EngineLog
from twin.plugins.kubernetes.servicer import KubernetesProvider


def main() -> None:
    """Serve until the engine lets go."""
    address = sys.argv[1] if len(sys.argv) > 1 else ""
    provider = KubernetesProvider(EngineLog(address), os.environ)
    wire.serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server))


if __name__ == "__main__":
    main()
