"""Shows what an `up` with `cluster.take-over` would do to objects that were made by hand."""
