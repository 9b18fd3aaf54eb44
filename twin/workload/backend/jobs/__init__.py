"""The four background jobs: one run each, one tenant at a time, their effect is rows."""
