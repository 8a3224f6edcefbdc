"""Which requests are logged: a share of those of the models that ask for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from serving.protocol.status import Code, invalid
from serving.server.model_config import LoggingSettings, ModelConfig
from serving.server.prediction_log import PredictionLogger


class PredictionLogs:
    """Chooses before anything is made of a request, so that the others cost next to nothing. Usable from many threads."""

    def __init__(
        self,
        counted: Callable[[str, int | None, Code], None],
        everywhere: LoggingSettings | None = None,
        *,
        strict: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``everywhere`` is for models whose configuration says nothing of a log; ``counted`` as in `PredictionLogger`."""
        self._everywhere, self._strict, self._draw = everywhere, strict, draw
        self._settings: Mapping[str, LoggingSettings] = {}
        self._logger = PredictionLogger({}, counted, draw=lambda: 0.0)  # what gets there has been chosen here

    def follow(self, configs: Sequence[ModelConfig]) -> None:
        """Log what these models ask for from now on.

        Raises StatusError (INVALID_ARGUMENT) when strict and one does: TF Serving's released server has no logger.
        """
        if self._strict and any(config.logging is not None for config in configs):
            raise invalid("No request-logger-creator provided.")
        wanted = {config.name: config.logging or self._everywhere for config in configs}
        settings = {name: found for name, found in wanted.items() if found is not None and found.sampling_rate > 0}
        if settings != self._settings:
            self._logger.configure(settings)
            self._settings = settings

    def chosen(self, model: str) -> PredictionLogger | None:
        """The logger if this request of `model` is to be logged, else None."""
        settings = self._settings.get(model)
        return self._logger if settings is not None and self._draw() < settings.sampling_rate else None

    def close(self) -> None:
        """Write out what is waiting, and close all files."""
        self._logger.close()
