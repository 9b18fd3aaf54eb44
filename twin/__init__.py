"""The local twin: a whole staging environment on one machine."""
