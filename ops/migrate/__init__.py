"""The SQL runner: plan, apply, verify and status of the audit database."""
