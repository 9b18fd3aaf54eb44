"""Reference backend of the audit trail: what the deployment guide expects of one, to the letter."""

VERSION = "1.0.0"
