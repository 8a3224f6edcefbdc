"""JSON text by TF Serving's rules: NaN tokens, first key wins, text after the document is ignored.

Plain documents go through msgspec's parser, several times as fast as Python's. Whatever it refuses, or might read otherwise than TF
Serving, goes through Python's, which also finds the words for what is wrong.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from serving.protocol.status import invalid

# How much of a value an error message shows.
_SHOWN_BYTES = 256
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_MISSING_COMMA = {"[": "Missing a comma or ] after an array element.", "{": "Missing a comma or } after an object member."}
# Escapes: a whole surrogate pair, half of one, any other.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Without one of these no number is too large for a double, and Python's own reader, which makes it infinite, will do.
_PERHAPS_HUGE = re.compile(r"[eE]\+?\d{3}|\d{200}")
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


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, strict=False)
_CAREFUL = json.JSONDecoder(object_pairs_hook=_first_wins, strict=False, parse_float=_finite)
_FAST = msgspec.json.Decoder()


def _parse_plain(body: bytes) -> dict[str, Any] | None:
    """The object in `body` if it is a plain one whose keys are all different; None when that cannot be told cheaply."""
    try:
        document = _FAST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if type(document) is not dict:
        return None
    members = len(document)
    for value in document.values():
        if type(value) is dict:
            members += len(value)
        elif type(value) is list and value and type(value[0]) is dict:
            members += sum(len(item) for item in value if type(item) is dict)
    # Each member brings one colon. More of them are in a text, or in a deeper object, or belong to a key that came twice.
    return document if body.count(b":") == members else None


def parse_object(body: bytes) -> dict[str, Any]:
    """The object that a request body holds. Raises StatusError (INVALID_ARGUMENT) for anything else.

    Bytes that are not UTF-8 become surrogate escapes, so that string tensors keep them.
    """
    plain = _parse_plain(body)
    if plain is not None:
        return plain
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
        document, end = (_CAREFUL if _PERHAPS_HUGE.search(text) else _DECODER).raw_decode(text, start)
    except json.JSONDecodeError as error:
        if text.startswith(("Inf", "-Inf"), error.pos) and not text.startswith(("Infinity", "-Infinity"), error.pos):
            return _parse(_BARE_INF.sub(lambda match: "Infinity" if match[0] == "Inf" else match[0], text), start)
        offset = len(text[: _guilty(text, error)].encode("utf-8", "surrogateescape"))
        raise invalid(f"JSON Parse error: {_reason(error)} at offset: {offset}") from None
    except RecursionError:
        raise invalid("JSON Parse error: Terminate parsing due to Handler error. at offset: 0") from None
    except ValueError:  # a float of 1e400; Python refuses integers of thousands of digits
        raise invalid("JSON Parse error: Number too big to be stored in double. at offset: 0") from None
    if _SURROGATE.search(text, start, end):
        _refuse_lone_surrogates(text, start, end)
    return document


def _refuse_lone_surrogates(text: str, start: int, end: int) -> None:
    """Half of a pair is no character: nothing could encode it on its way out."""
    for escape in _ESCAPE.finditer(text, start, end):
        if escape[1]:
            offset = len(text[: escape.start()].encode("utf-8", "surrogateescape"))
            raise invalid(f"JSON Parse error: The surrogate pair in string is invalid. at offset: {offset}")


def _guilty(text: str, error: json.JSONDecodeError) -> int:
    """Where rapidjson sees the mistake: of a comma too many it blames the bracket after it, Python since 3.13 the comma."""
    if not error.msg.startswith("Illegal trailing comma"):
        return error.pos
    after = text[error.pos + 1 :]
    return error.pos + 1 + len(after) - len(after.lstrip(" \t\r\n"))


def _reason(error: json.JSONDecodeError) -> str:
    for theirs, ours in _REASONS:
        if error.msg.startswith(theirs):
            return ours
    return _MISSING_COMMA[_open_bracket(error.doc[: error.pos])]


def _open_bracket(text: str) -> str:
    """The innermost bracket that `text` leaves open."""
    still_open = ["{"]
    for token in _STRING_OR_BRACKET.findall(text):
        if token in ("[", "{"):
            still_open.append(token)
        elif token in ("]", "}"):
            still_open.pop()
    return still_open[-1]


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
