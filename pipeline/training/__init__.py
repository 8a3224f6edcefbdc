"""Training and export, the same for every use case."""
