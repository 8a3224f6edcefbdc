"""The columns of a use case and their types, from its curated schema. Light: needs no TFX."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from configs.errors import UsageError


def read_columns(schema: Path) -> dict[str, str]:
    """Column name to FLOAT, INT or BYTES.

    Raises:
        UsageError: the schema cannot be read.
    """
    try:
        parsed = text_format.Parse(schema.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (OSError, text_format.ParseError) as error:
        raise UsageError(f"{schema}: not a schema: {error}") from error
    return {feature.name: schema_pb2.FeatureType.Name(feature.type) for feature in parsed.feature}
