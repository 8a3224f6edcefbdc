"""How a use case's data is to be read: what its schema, its classes and the configuration's data section say, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from configs.errors import ConfigError
from configs.schema import Data

ColumnType = Literal["FLOAT", "INT", "BYTES"]
Reader = Literal["rows", "images"]
# The columns of a label CSV, by our names; a file's own are given in data.columns.
IMAGE_ID, LABEL = "image_id", "label"
# What an image becomes: a tf.Example with these features.
IMAGE_COLUMNS: dict[str, str] = {"image": "BYTES", "label": "BYTES", "name": "BYTES"}


@dataclass(frozen=True)
class Reading:
    """Plain values; with the columns alone it reads files that fit the schema.

    columns:       of the schema, name to FLOAT, INT or BYTES.
    names:         a column to its name in the files, where that is another one.
    ignore_extra:  files may have more columns.
    key:           the column, in our name, whose value decides the split; for images ``name``. None: the whole content.
    spans:         how many of the newest; None: all.
    classes:       the use case's; for images only.
    class_names:   a class as the data writes it to one of those.
    images:        where the images of a label CSV are, seen from its folder.
    corrupt_share: the largest share of images that may be left out.
    """

    columns: Mapping[str, str]
    reader: Reader = "rows"
    names: Mapping[str, str] = field(default_factory=dict)
    ignore_extra: bool = False
    key: str | None = None
    spans: int | None = 1
    classes: tuple[str, ...] = ()
    class_names: Mapping[str, str] = field(default_factory=dict)
    images: str | None = None
    corrupt_share: float = 0.01

    @property
    def wanted(self) -> dict[str, str]:
        """Every column that is read, by our name, to its name in the files; the key is one, whether or not the schema knows it."""
        if self.reader == "images":
            ours: Iterable[str] = (IMAGE_ID, LABEL)
        else:
            ours = dict.fromkeys([*self.columns, *([self.key] if self.key is not None else [])])
        return {name: self.names.get(name, name) for name in ours}

    def told(self, name: str) -> str:
        """A column as messages name it: the file's name, and ours where that is another one."""
        written = self.names.get(name, name)
        return repr(written) if written == name else f"{written!r} ({name})"

    def class_of(self, written: str) -> str | None:
        """The use case's class that the data means; None where it is none of them."""
        found = self.class_names.get(written, written)
        return found if found in self.classes else None


def reading_of(columns: Mapping[str, str], data: Data, *, reader: Reader = "rows", classes: tuple[str, ...] = ()) -> Reading:
    """Hold the data section against the schema and the classes.

    Raises:
        ConfigError: it names a column or a class that there is not, or something that this kind of data has not.
    """
    found = Reading(
        columns,
        reader,
        data.columns,
        data.extra_columns == "ignore",
        data.key,
        data.spans,
        classes,
        data.classes,
        data.images,
        data.corrupt_share,
    )
    (_check_images if reader == "images" else _check_rows)(found)
    written: dict[str, str] = {}
    for name, in_file in found.wanted.items():
        if in_file in written:
            raise ConfigError(f"data.columns.{name}: {in_file!r} is also the column of {written[in_file]!r}; each needs one of its own")
        written[in_file] = name
    return found


def _check_rows(reading: Reading) -> None:
    for key, given in {"images": reading.images, "classes": reading.class_names}.items():
        if given:
            raise ConfigError(f"data.{key}: {given!r} is for use cases that read images; this one reads rows")
    for name in reading.names:
        if name not in reading.wanted:
            raise ConfigError(f"data.columns.{name}: no such column; the schema has: {', '.join(sorted(reading.columns))}")


def _check_images(reading: Reading) -> None:
    if reading.key not in {None, "name"}:
        raise ConfigError(f"data.key: {reading.key!r} is not what images have; allowed: name (the path), or null (the image's content)")
    for name in reading.names:
        if name not in reading.wanted:
            raise ConfigError(f"data.columns.{name}: no column of a label CSV; allowed: {IMAGE_ID}, {LABEL}")
    for written, name in reading.class_names.items():
        if name not in reading.classes:
            raise ConfigError(f"data.classes.{written}: {name!r} is none of the classes: {', '.join(reading.classes)}")
