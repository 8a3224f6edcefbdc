"""The columns of a use case, from its schema."""

from __future__ import annotations

import pytest

from components.example_gen.columns import read_columns
from configs.errors import UsageError

SCHEMA = """
# a comment
feature { name: "fare" type: FLOAT }
feature { name: "hour" type: INT not_in_environment: "SERVING" }
feature { name: "company" type: BYTES }
"""


def test_columns_have_the_schemas_types_and_order(tmp_path):
    (tmp_path / "schema.pbtxt").write_text(SCHEMA, encoding="utf-8")
    assert list(read_columns(tmp_path / "schema.pbtxt").items()) == [("fare", "FLOAT"), ("hour", "INT"), ("company", "BYTES")]


@pytest.mark.parametrize("text", [None, "feature {", "no_such_field: 1", 'feature { name: "a" type: NUMBER }'])
def test_what_is_no_schema_is_named(tmp_path, text):
    path = tmp_path / "schema.pbtxt"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="not a schema") as caught:
        read_columns(path)
    assert str(caught.value).startswith(f"{path}: ")
