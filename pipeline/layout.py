"""Where a run keeps what: every path below the state folder, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from configs.paths import state_folder, store_folder
from configs.schema import Settings


@dataclass(frozen=True)
class Layout:
    """The folders of one use case in one environment."""

    state: Path
    store: Path
    use_case: str

    @property
    def home(self) -> Path:
        """Everything of this use case except what is published."""
        return self.state / "pipelines" / self.use_case

    @property
    def artifacts(self) -> Path:
        """TFX's pipeline root."""
        return self.home / "artifacts"

    @property
    def metadata(self) -> Path:
        """TFX's metadata, SQLite."""
        return self.home / "metadata.sqlite"

    @property
    def runs(self) -> Path:
        """One folder a run: its log and its result."""
        return self.home / "runs"

    @property
    def lock(self) -> Path:
        """Held while a run is under way."""
        return self.home / ".lock"


def layout_of(settings: Settings) -> Layout:
    """The absolute paths of a configuration; relative ones start at the working directory."""
    return Layout(state_folder(settings.environment), store_folder(settings.environment), settings.name)
