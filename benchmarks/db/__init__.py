"""The audit database."""
