"""The columns of a file against those that are wanted: one line that names the file's and, where it differs, ours."""

from __future__ import annotations

import pytest

from components.example_gen.header import check_header
from components.example_gen.reading import Reading
from configs.errors import UsageError

READING = Reading({"length": "FLOAT", "label": "BYTES"}, names={"length": "Chopstick.Length"})
IGNORING = Reading(READING.columns, names=READING.names, ignore_extra=True)
RENAME = " (data.columns gives a column its name in the file)"


@pytest.mark.parametrize(
    ("reading", "header", "told"),
    [
        (READING, ["Chopstick.Length", "label"], None),
        (READING, ["label", "Chopstick.Length"], None),
        (READING, ["label"], "the columns do not fit the schema: missing 'Chopstick.Length' (length)"),
        (
            READING,
            ["length", "label"],
            f"the columns do not fit the schema: missing 'Chopstick.Length' (length); unknown 'length'{RENAME}",
        ),
        (
            READING,
            ["Chopstick.Length", "label", "x"],
            "the columns do not fit the schema: unknown 'x' (data.extra_columns=ignore leaves them out)",
        ),
        (IGNORING, ["Chopstick.Length", "label", "x", "x"], None),
        (READING, ["Chopstick.Length", "label", "x", "x"], "column 'x' stands twice in the header"),
        (IGNORING, ["Chopstick.Length", "label", "label"], "column 'label' stands twice in the header"),
    ],
)
def test_a_header_fits_or_says_what_is_wrong(reading, header, told):
    if told is None:
        check_header("rows.csv", header, reading)
        return
    with pytest.raises(UsageError) as caught:
        check_header("rows.csv", header, reading)
    assert str(caught.value) == f"rows.csv: {told}"
