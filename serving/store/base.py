"""The contract of a version store, and the life of a version.

    candidate --publish--> STAGED --rename--> PUBLISHED --retire--> gone
    (a folder)             (hidden from            |
                            every server)          +-- live: the highest published version

A version is a positive integer that only grows, also across retired and failed ones; its contents never change. ``publish`` is
all or nothing: killed at any moment, with a full disk or with another publisher beside it, it leaves either the whole version or
none, and what was live stays live until the new one stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from serving.store.history import Event
from serving.store.manifest import Identity, Manifest
from serving.verdict import Verdict


@dataclass(frozen=True)
class Version:
    """A published version: its number, where it lies and who it is."""

    model: str
    number: int
    path: Path
    manifest: Manifest


class VersionStore(Protocol):
    """Where published models live. Every method may raise ``StoreError``; look-ups of what is not there, ``NotPublished``."""

    def publish(
        self, model: str, model_dir: Path, identity: Identity, *, digest: str | None = None, over: int | Literal["any"] | None = "any"
    ) -> Version:
        """Copy a SavedModel folder in as the next version and write it to the ledger.

        Args:
            digest: the content digest that was judged; what was copied must have it.
            over: the version that was live when the model was judged (None: none was); it must still be.

        Raises:
            StoreError: the content or the live version is another one by now; nothing was published.
        """
        ...

    def versions(self, model: str) -> list[Version]:
        """All whole published versions, oldest first; empty where there are none."""
        ...

    def live(self, model: str) -> Version | None:
        """The version that servers answer with: the highest one; None where there is none.

        Raises:
            VersionDamaged: the highest one has no readable manifest: what is live is not known.
        """
        ...

    def damaged(self, model: str) -> dict[int, str]:
        """The numbered folders without a readable manifest, with the reason; ``versions`` leaves them out."""
        ...

    def refuse(self, model: str, verdict: Verdict, run_id: str) -> Event:
        """Write to the ledger that a candidate was refused, and why. Publishes nothing."""
        ...

    def history(self, model: str) -> list[Event]:
        """The ledger, oldest first."""
        ...

    def verify(self, model: str, number: int) -> None:
        """Compare every file of a version with its manifest.

        Raises:
            VersionDamaged: a file is missing, extra or changed; names it.
        """
        ...

    def models(self) -> Sequence[str]:
        """The models that have a place in this store, sorted."""
        ...

    def describe(self) -> dict[str, Any]:
        """Where this store is, for reports."""
        ...
