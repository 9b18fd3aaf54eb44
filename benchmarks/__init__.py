"""Benchmarks: figures of one run on one machine, side by side. They judge nothing; tests do."""
