"""JSON text by TF Serving's rules, on Python's parser: NaN tokens, first key wins, text after the document is ignored."""

from __future__ import annotations

import json
import re
from typing import Any

from serving.protocol.status import invalid

# How much of a value an error message shows.
_SHOWN_BYTES = 256
_BARE_INF = re.compile(r'"(?:[^"\\]|\\.)*"|Inf(?!inity)', re.DOTALL)
# What Python's parser says, in the words TF Serving's users know.
_REASONS = (
    ("Expecting value", "Invalid value."),
    ("Illegal trailing comma before end of object", "Missing a name for object member."),
    ("Illegal trailing comma before end of array", "Invalid value."),
    ("Expecting property name", "Missing a name for object member."),
    ("Expecting ':'", "Missing a colon after a name of object member."),
    ("Unterminated string", "Missing a closing quotation mark in string."),
    ("Invalid \\u", "Incorrect hex digit after \\u escape in string."),
    ("Invalid \\", "Invalid escape character in string."),
    ("Invalid control character", "Invalid encoding in string."),
)


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        members = {}
        for key, value in pairs:
            members.setdefault(key, value)
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, strict=False)


def parse_object(body: bytes) -> dict[str, Any]:
    """The object that a request body holds. Raises StatusError (INVALID_ARGUMENT) for anything else.

    Bytes that are not UTF-8 become surrogate escapes, so that string tensors keep them.
    """
    text = body.decode("utf-8", "surrogateescape")
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        raise invalid("JSON Parse error: The document is empty")
    document = _parse(text, start)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def _parse(text: str, start: int) -> Any:
    try:
        return _DECODER.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        if text.startswith(("Inf", "-Inf"), error.pos) and not text.startswith(("Infinity", "-Infinity"), error.pos):
            return _parse(_BARE_INF.sub(lambda match: "Infinity" if match[0] == "Inf" else match[0], text), start)
        offset = len(text[: error.pos].encode("utf-8", "surrogateescape"))
        raise invalid(f"JSON Parse error: {_reason(error)} at offset: {offset}") from None
    except RecursionError:
        raise invalid("JSON Parse error: Terminate parsing due to Handler error. at offset: 0") from None
    except ValueError:  # Python refuses integers of thousands of digits
        raise invalid("JSON Parse error: Number too big to be stored in double. at offset: 0") from None


def _reason(error: json.JSONDecodeError) -> str:
    for theirs, ours in _REASONS:
        if error.msg.startswith(theirs):
            return ours
    return "Missing a comma or ] after an array element, or a comma or } after an object member."


def shown(value: Any) -> str:
    """A value as an error message shows it: compact, cut at 256 bytes."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        text = "..."
    return text.encode("utf-8", "surrogatepass")[:_SHOWN_BYTES].decode("utf-8", "replace")


def type_name(value: Any) -> str:
    """The JSON type of a value, in rapidjson's words."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return "String"
    if isinstance(value, (int, float)):
        return "Number"
    return "Array" if isinstance(value, list) else "Object"
