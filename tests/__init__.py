"""The tests. A package, because some distributions install a stray top-level `tests` that would be found first."""
