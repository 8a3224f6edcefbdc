"""A process that a stack believes it has started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Child:
    """A process that writes its ports, or ends with a code."""

    def __init__(self, arguments: list[str], code: int | None, log: Any, **options: Any) -> None:
        self.arguments, self.options, self.code, self.signals, self.log = arguments, options, code, list[int](), log
        if code is None:
            place = next(text.partition("=")[2] for text in arguments if "ports" in text and text.startswith("--"))
            Path(place).write_text(json.dumps({"grpc": 8501, "rest": 8502, "http": 8080}))
        elif log is not None:
            log.write(b"\nfirst\n\nlast words\n")
            log.flush()
        self.folder = {path.name for path in Path(self.value("config") or self.value("model_config_file")).parent.iterdir()}

    def value(self, name: str) -> str:
        return next((text.partition("=")[2] for text in self.arguments if text.startswith(f"--{name}=")), "")

    def poll(self) -> int | None:
        return self.code

    def send_signal(self, number: int) -> None:
        self.signals.append(number)
        self.code = 0

    def wait(self, timeout: float | None = None) -> int:
        del timeout
        return self.code or 0
