"""Rows of any supported form into tf.Examples, typed by the curated schema."""
