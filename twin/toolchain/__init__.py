"""Builds what no package registry offers as a binary: the engine, Kubernetes and the name server."""
