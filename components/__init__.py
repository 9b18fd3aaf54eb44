"""The parts of the stack. Arrows point one way: these import `model`, and nothing of `ops` or `twin`."""
