"""What OpenAPI shows can be sent as it stands."""

from __future__ import annotations

from pipeline.use_cases.taxi import features
from serving.gateway import api_documents


def test_the_row_that_openapi_shows_has_every_column_of_the_use_case():
    columns = {*features.AMOUNTS, *features.PLACES, *features.CALENDAR, *features.AREAS, *features.WORDS}
    assert api_documents.TAXI.keys() == columns
