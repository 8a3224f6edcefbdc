"""Where the workers of a step's Beam see files: this machine's folders, a state folder that is shared, or a bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.places import delivered, fetched, local_folder, removed


@dataclass(frozen=True)
class Workers:
    """What they see.

    home:      below the state folder, which clusters have on a volume of their own.
    bucket:    a place of this step alone, for workers that see buckets and nothing else.
    elsewhere: they may run on other machines: they see ``home`` and not this container's own places.
    """

    home: Path
    bucket: str | None = None
    elsewhere: bool = False

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """The bucket's place, gone at the end."""
        try:
            yield
        finally:
            if self.bucket:
                removed(self.bucket)

    @property
    def temporary(self) -> str | None:
        """Where they may keep what they make on the way; None means this machine's own."""
        return f"{self.bucket}/tmp" if self.bucket else None

    def outputs(self, locations: Mapping[str, str]) -> dict[str, Path]:
        """Output key to the folder of this machine in which it ends up."""
        copy = self.elsewhere
        return {key: local_folder(location, self.home / "out" / key, copy=copy) for key, location in locations.items()}

    def told(self, side: str, key: str, folder: Path) -> str:
        """How a worker calls what this machine has in a folder."""
        return f"{self.bucket}/{side}/{key}" if self.bucket else str(folder)

    def shown(self, side: str, key: str, folder: Path) -> str:
        """Let them see a folder. Returns how they call it."""
        called = self.told(side, key, folder)
        if self.bucket:
            delivered(folder, called)
        return called

    def brought_back(self, side: str, key: str, folder: Path) -> None:
        """Have in a folder what they wrote."""
        if self.bucket:
            fetched(self.told(side, key, folder), folder)
