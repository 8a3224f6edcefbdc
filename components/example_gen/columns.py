"""The columns of a use case and their types, from its curated schema. Light: needs no TFX."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from configs.errors import UsageError


def read_columns(schema: Path, *, serving: bool = False) -> dict[str, str]:
    """Column name to FLOAT, INT or BYTES; with ``serving`` only those of the schema's environment SERVING, which requests may hold.

    Raises:
        UsageError: the schema cannot be read.
    """
    try:
        parsed = text_format.Parse(schema.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (OSError, text_format.ParseError) as error:
        raise UsageError(f"{schema}: not a schema: {error}") from error
    return {
        feature.name: schema_pb2.FeatureType.Name(feature.type)
        for feature in parsed.feature
        if not serving or "SERVING" not in feature.not_in_environment
    }
