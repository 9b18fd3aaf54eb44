"""Serve the plugin."""

from pulumi.runtime.proto import provider_pb2_grpc

from twin.plugins.random.provider import RandomProvider
from twin.plugins.wire import serve

serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(RandomProvider(), server))
