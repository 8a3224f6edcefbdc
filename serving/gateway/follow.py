"""The configuration that is in force: read from a file, followed when the file changes. A file that is wrong changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from configs.errors import SluicewayError
from configs.gateway import GatewayConfig
from configs.load import load_gateway

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# What is open already: a change of it waits for a restart.
_FIXED = ("host", "port", "page", "docs", "cors", "tracing", "trusted_proxies")


class ConfigFile:
    """A gateway's configuration file. Belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError: the file cannot be read, or is wrong."""
        self.path = path
        self._seen = self._content()
        self.config = load_gateway(path)

    def look(self) -> GatewayConfig | None:
        """The new configuration if the file's content is another one, whole and right; else None. What is wrong is logged once."""
        content = self._content()
        if content is None or content == self._seen:
            return None
        self._seen = content
        config = load_gateway(self.path)
        changed = [name for name in _FIXED if getattr(config, name) != getattr(self.config, name)]
        if changed:
            log.warning("%s: %s changed; that takes a restart", self.path, ", ".join(changed))
        self.config = config
        return config

    def _content(self) -> bytes | None:
        # Kubernetes swaps a link to a folder: what counts is what is read, not times of files.
        try:
            return self.path.read_bytes()
        except OSError:
            return None


async def follow(file: ConfigFile, apply: Callable[[GatewayConfig], None], counted: Callable[[str], None]) -> None:
    """Apply each change until cancelled.

    Args:
        apply: puts a configuration in force; raises SluicewayError where it cannot, and then changes nothing.
        counted: told ``ok`` or ``refused`` for each change.
    """
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            config = file.look()
            if config is None:
                continue
            apply(config)
        except SluicewayError as error:
            log.error("the configuration was not changed: %s", error)
            counted("refused")
        else:
            log.info("the configuration in %s is in force", file.path)
            counted("ok")
