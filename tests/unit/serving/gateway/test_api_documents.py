"""What OpenAPI shows can be sent as it stands."""

from __future__ import annotations

from components.example_gen.columns import read_columns
from pipeline.use_cases.base import get_use_case
from serving.gateway import api_documents

KINDS = {"INT": int, "FLOAT": float, "BYTES": str}


def test_the_row_that_openapi_shows_is_what_the_signature_predict_takes():
    """Which is every column of the schema but the label (``pipeline/training/inputs.py: serving_spec``)."""
    use_case = get_use_case("taxi")
    columns = {name: KINDS[kind] for name, kind in read_columns(use_case.schema_path).items() if name != use_case.raw_label}
    assert {name: type(value) for name, value in api_documents.TAXI.items()} == columns
