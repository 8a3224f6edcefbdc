"""Brings a candidate that every gate accepted into the store."""
