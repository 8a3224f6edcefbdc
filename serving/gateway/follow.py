"""The configuration that is in force: read from a file, followed when the file changes. A file that is wrong changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from configs.errors import SluicewayError, UsageError
from configs.gateway import GatewayConfig
from configs.load import load_gateway, shown

log = logging.getLogger(__name__)

ENVIRONMENT = "gateway."
"""What the gateway's keys begin with in an environment."""
_LOOK_SECONDS = 1.0
# What is open already: a change of it waits for a restart.
_FIXED = ("host", "port", "page", "docs", "cors", "tracing", "trusted_proxies", "limits.drain_seconds")


class ConfigFile:
    """A gateway's configuration file, and the files that it names: keys, certificates. Belongs to one event loop."""

    def __init__(self, path: Path, place: str | None = None) -> None:
        """
        Args:
            place: what messages write before a key of it; None: its name.

        Raises:
            ConfigError: the file cannot be read, or is wrong.
        """
        self.path, self.place = path, f"{shown(path)}: " if place is None else place
        self._is_gone = False
        before = _content(path)
        self.config = load_gateway(path)
        self._seen = {path: before, **_contents(named_files(self.config))}

    def look(self) -> GatewayConfig | None:
        """The new configuration if a content is another one, whole and right; else None. What is wrong is told once.

        Raises:
            ConfigError: the new content is wrong.
        """
        seen = {path: _content(path) for path in self._seen}
        self._tell_gone(seen[self.path] is None)
        if self._is_gone or seen == self._seen:
            return None
        # Kept before it is read: what is wrong is told once and not every second.
        self._seen = seen
        config = load_gateway(self.path)
        changed = [name for name in _FIXED if attrgetter(name)(config) != attrgetter(name)(self.config)]
        if changed:
            log.warning("%s: %s changed; that takes a restart", self.path, ", ".join(changed))
        self.config = config
        self._seen = {self.path: seen[self.path], **_contents(named_files(config))}
        return config

    def _tell_gone(self, is_gone: bool) -> None:
        if is_gone and not self._is_gone:
            log.warning("%s is gone; what was in force stays so", self.path)
        elif self._is_gone and not is_gone:
            log.info("%s is back", self.path)
        self._is_gone = is_gone


@contextmanager
def keys_stand_in(place: str) -> Iterator[None]:
    """Errors that begin with a key of the gateway's say where it stands: ``gateway.`` of an environment, or a file of its own."""
    try:
        yield
    except UsageError as error:
        raise type(error)(f"{place}{error}") from error


def named_files(config: GatewayConfig) -> list[Path]:
    """Files that a configuration is made of beside its own."""
    named = [config.keys.file if config.keys else None, config.jwt.key_file if config.jwt else None]
    for upstream in config.upstreams.values():
        named += [upstream.tls.ca_file, upstream.tls.cert_file, upstream.tls.key_file] if upstream.tls else []
    return [Path(place).expanduser() for place in named if place is not None]


def _contents(paths: Iterable[Path]) -> dict[Path, bytes | None]:
    return {path: _content(path) for path in paths}


def _content(path: Path) -> bytes | None:
    # Kubernetes swaps a link to a folder: what counts is what is read, not times of files.
    try:
        return path.read_bytes()
    except OSError:
        return None


async def follow(file: ConfigFile, apply: Callable[[GatewayConfig], None], counted: Callable[[str], None]) -> None:
    """Apply each change until cancelled.

    Args:
        apply: puts a configuration in force; raises SluicewayError where it cannot, and then changes nothing. It is asked again until
            it can.
        counted: told ``ok`` or ``refused`` for each change.
    """
    refused: GatewayConfig | None = None
    last = ""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            changed = file.look()
        except Exception as error:  # noqa: BLE001 - whatever one file holds, the next one must be followed
            refused = None
            _tell_refused(error)
            counted("refused")
            continue
        if changed is not None:
            last = ""
        # What it was refused for may lie outside of what is looked at: it is tried until it holds.
        config = changed or refused
        if config is None:
            continue
        try:
            with keys_stand_in(file.place):
                apply(config)
        except Exception as error:  # noqa: BLE001 - as above
            if not last:
                counted("refused")
            refused, before, last = config, last, repr(error)
            if last != before:
                _tell_refused(error)
        else:
            refused = None
            log.info("the configuration in %s is in force", file.path)
            counted("ok")


def _tell_refused(error: Exception) -> None:
    log.error("the configuration was not changed: %s", error, exc_info=None if isinstance(error, SluicewayError) else error)
