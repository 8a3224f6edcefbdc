"""TF Serving's configuration files: their messages, and a reader for each that gives plain values."""
