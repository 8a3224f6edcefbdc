"""The data of a use case in a configuration: how it is read, and what is there."""

from __future__ import annotations

from components.example_gen.columns import read_columns
from components.example_gen.reading import Reading, reading_of
from components.example_gen.source import Source, check_source
from configs.schema import Settings
from pipeline.layout import Layout
from pipeline.use_cases.base import UseCase


def use_case_reading(use_case: UseCase, settings: Settings) -> Reading:
    """What its schema, its classes and the data section say.

    Raises:
        ConfigError: they do not fit.
        UsageError: the schema cannot be read.
    """
    columns = read_columns(use_case.schema_path)
    return reading_of(columns, settings.use_case.data, reader=use_case.reader, classes=use_case.classes)


def use_case_source(use_case: UseCase, settings: Settings, layout: Layout) -> Source:
    """The data, found and checked: what is configured, or what ships with the use case. Nothing is written.

    Raises:
        UsageError: it is not there, or does not fit; the message says what and where.
    """
    reading = use_case_reading(use_case, settings)
    given = settings.use_case.data.source
    return check_source(str(use_case.source()) if given is None else given, reading, layout.home / "data")
