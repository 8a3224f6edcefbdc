"""Whether a file's columns are those that are wanted."""

from __future__ import annotations

from collections.abc import Sequence

from components.example_gen.reading import Reading
from configs.errors import UsageError


def check_header(place: object, header: Sequence[str], reading: Reading) -> None:
    """Every wanted column once, and no other unless others are ignored.

    Args:
        place: how messages name the file.

    Raises:
        UsageError: the message names the file's column and, where it has another name in the schema, that one too.
    """
    written = set(reading.wanted.values())
    twice = sorted({name for name in header if header.count(name) > 1 and (name in written or not reading.ignore_extra)})
    missing = [reading.told(name) for name, in_file in reading.wanted.items() if in_file not in header]
    extra = [] if reading.ignore_extra else [repr(name) for name in header if name not in written]
    if twice:
        raise UsageError(f"{place}: column {twice[0]!r} stands twice in the header")
    if missing or extra:
        parts = [f"missing {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(extra)}"] * bool(extra)
        against = "label columns" if reading.reader == "images" else "schema"
        raise UsageError(f"{place}: the columns do not fit the {against}: {'; '.join(parts)}{_hint(missing, extra)}")


def _hint(missing: Sequence[str], extra: Sequence[str]) -> str:
    if missing and extra:
        return " (data.columns gives a column its name in the file)"
    return " (data.extra_columns=ignore leaves them out)" if extra else ""
