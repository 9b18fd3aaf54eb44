"""Tells people: the message after a deployment, and a test of the way that alerts take."""
