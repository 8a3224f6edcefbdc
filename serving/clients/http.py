"""httpx without its command line, which it imports where rich and click are installed: half of its import time, for nothing here."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["httpx"]

_COMMAND_LINE = "httpx._main"
_modules: dict[str, Any] = sys.modules
if "httpx" in _modules:
    import httpx
else:
    _modules[_COMMAND_LINE] = None  # an ImportError for whoever imports it; httpx then does without
    try:
        import httpx
    finally:
        del _modules[_COMMAND_LINE]
