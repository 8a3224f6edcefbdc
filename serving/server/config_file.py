"""The models that flags and the model config file ask for, at the start and at every later look at the file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from configs.errors import SluicewayError
from serving.protocol.status import Code, StatusError
from serving.server.flags import Flags
from serving.server.model_config import ModelConfig
from serving.server.schemas import model_configs, texts

log = logging.getLogger(__name__)


def configured(flags: Flags) -> tuple[ModelConfig, ...]:
    """The models to start with. Raises StatusError when the file cannot be used."""
    if flags.model_config_file:
        found = model_configs.from_file(flags.model_config_file)
        if found is None:
            log.info("%s: Taking no action for empty config.", flags.model_config_file)
        return found or ()
    # TF Serving refuses a relative path, in words about a config file that nobody wrote.
    base_path = flags.model_base_path if flags.strict or "://" in flags.model_base_path else str(Path(flags.model_base_path).absolute())
    return (ModelConfig(flags.model_name, base_path),)


class ConfigFile:
    """Looks at the model config file again and again; what is wrong with it is said, and the last good one stays in force."""

    def __init__(self, path: str, seconds: int, apply: Callable[[tuple[ModelConfig, ...]], None]) -> None:
        self._path, self._seconds, self._apply = path, seconds, apply
        self._stopping = threading.Event()
        self._complaint = ""
        self._unreadable = ""  # content that could not be read as a configuration

    def start(self) -> None:
        """Begin to look; a period of 0 means never."""
        if self._path and self._seconds > 0:
            threading.Thread(target=self._run, name="config-file", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self.look()

    def look(self) -> None:
        """Read the file once, and apply what it says."""
        try:
            text = texts.read_file(self._path)
            if text != self._unreadable:  # what is wrong with it has been told
                self._take(text)
        except (StatusError, SluicewayError) as error:
            # UNKNOWN says that a model did not come up; the list itself is in force.
            left = "" if getattr(error, "code", None) is Code.UNKNOWN else "; the last good configuration stays in force"
            if str(error) != self._complaint:
                log.error("%s: %s%s", self._path, error, left)
            self._complaint = str(error)
        except Exception:  # the thread must outlive whatever one look meets
            log.exception("reading %s failed", self._path)

    def _take(self, text: str) -> None:
        try:
            configs = model_configs.read_text(text, self._path)
        except StatusError:
            self._unreadable = text
            raise
        self._unreadable = ""
        if configs is not None:
            self._apply(configs)
        self._complaint = ""
