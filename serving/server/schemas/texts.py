"""Configuration files in protobuf's text format: read, parsed, and refused in upstream's words."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.protocol.status import Code, StatusError, invalid
from serving.server.schemas import pool as pools

log = logging.getLogger(__name__)

_PLACE = re.compile(r"^\d+:\d+ : ")
_QUOTED_LINE = re.compile(r"^'.*': ", re.DOTALL)  # Python's parser repeats the line, C++'s does not


def read_file(path: str) -> str:
    """The text of a file. Raises StatusError: NOT_FOUND, PERMISSION_DENIED or FAILED_PRECONDITION with path and reason, or not UTF-8."""
    try:
        return Path(path).read_bytes().decode()
    except FileNotFoundError as error:
        raise StatusError(Code.NOT_FOUND, f"{path}; {error.strerror}") from error
    except PermissionError as error:
        raise StatusError(Code.PERMISSION_DENIED, f"{path}; {error.strerror}") from error
    except OSError as error:
        raise StatusError(Code.FAILED_PRECONDITION, f"{path}; {error.strerror}") from error
    except UnicodeDecodeError as error:
        log.error("%s: byte %d is not UTF-8", path, error.start)
        raise unparsable(path) from error


def parse(text: str, full_name: str, where: str, *, tensorflow: bool = False, secret: bool = False) -> Any:
    """The message of that name in a text.

    ``tensorflow``: its Any fields may hold a ConfigProto. ``secret``: the text holds a key, so no piece of it may be shown.
    Raises StatusError (INVALID_ARGUMENT) that names ``where``; what is wrong with the text is logged, as upstream does, and chained.
    """
    source = pools.pool(True) if tensorflow else pools.pool_of(full_name)
    message = pools.new(full_name, source)
    try:
        text_format.Parse(text, message, descriptor_pool=source)
    except (text_format.ParseError, UnicodeError) as error:
        log.error("%s", explain(full_name, error, secret=secret))
        raise unparsable(where) from (None if secret else error)
    return message


def explain(full_name: str, error: Exception, *, secret: bool = False) -> str:
    """One line, spelled as protobuf's C++ parser spells it; with ``secret`` only the place."""
    line, column = (error.GetLine(), error.GetColumn()) if isinstance(error, text_format.ParseError) else (None, None)
    place = "" if line is None else f" {line}:{column}:"
    what = "not what can stand here" if secret else _QUOTED_LINE.sub("", _PLACE.sub("", str(error)))
    return f"Error parsing text-format {full_name}:{place} {what}"


def unparsable(where: str) -> StatusError:
    """What upstream says of a file that is not the message it should be."""
    return invalid(f"Invalid protobuf file: '{where}'")
