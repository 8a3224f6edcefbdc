"""What every part of a configuration is made of: a frozen struct that knows its keys, and bounded numbers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
# With an end: a limit of infinity would be a gate that lets everything through.
NonNegative = Annotated[float, Meta(ge=0.0, le=1e12)]
PositiveFloat = Annotated[float, Meta(gt=0.0)]
PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen part of a configuration; a key it does not know is an error."""
