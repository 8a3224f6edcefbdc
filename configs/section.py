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
Text = Annotated[str, Meta(min_length=1)]
# ``words`` tell a pattern to a person; where ``number`` stands, YAML's unquoted 8 means the text "8".
# Memory is what both Kubernetes and KFP take: the one knows no K, the other no fractions.
Cores = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)\Z",
        extra={"words": "a number of cores as Kubernetes writes it, like 500m or 2", "number": True},
    ),
]
Memory = Annotated[str, Meta(pattern=r"^[0-9]+([KMGTPE]i|[MGTPE])?\Z", extra={"words": "a Kubernetes quantity like 512Mi or 4Gi"})]
_HOST = r"((localhost|\[[0-9a-fA-F:]+\]|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+)(:[0-9]+)?|[a-zA-Z0-9-]+:[0-9]+)/"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
Image = Annotated[
    str,
    Meta(
        pattern=rf"^({_HOST})?{_PART}(/{_PART})*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,127}})?(@[a-z0-9]+:[0-9a-fA-F]+)?\Z",
        extra={"words": "an image's name like registry.example/team/pipeline:1.0"},
    ),
]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen part of a configuration; a key it does not know is an error."""
