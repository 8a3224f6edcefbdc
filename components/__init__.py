"""TFX steps: a thin shell around a pure decision."""
