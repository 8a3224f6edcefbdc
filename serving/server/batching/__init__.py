"""Requests of many callers run as one: what TF Serving calls batching."""
