"""Ways to spoil what is good, each drawn from one source of randomness, so that a number says which spoilt thing it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

# Numbers at the edges of what types and parsers hold. None is between 2**22 and 2**31: as a size it would be a tensor that fits in memory.
SIZES = (0, 1, 2, 3, 7, 255, 65_536, 2**31 - 1, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, -1, -(2**31), -(2**63))
_TOKENS = (
    b"NaN",
    b"-Inf",
    b"Infinity",
    b"1e400",
    b"-0.0",
    b"9" * 30,
    b"9" * 5000,
    b"1E-999",
    b"0x1",
    b"01",
    b"null",
    b"True",
    b"{}",
    b"[]",
)
_TEXTS = (
    *("", "x", "/", "a:b", "\0", "é", "\udcff", "😀", "serving_default", "b64", "%00%ff", "A" * 300, "{", "../..", "\\ud800"),
    *("1", "NaN", "__saved_model_init_op", "y:0", "  ", "\u2028"),
)


def spoil_bytes(random: Random, content: bytes, changes: int = 3) -> bytes:
    """A few bytes flipped, cut out, doubled, put in, or the end cut off."""
    for _ in range(random.randint(1, changes)):
        at = random.randrange(len(content) + 1)
        length = random.choice((1, 1, 2, 4, 16))
        what = random.randrange(6)
        if what == 0:
            content = content[:at]
        elif what == 1:
            content = content[:at] + content[at + length :]
        elif what == 2:
            content = content[: at + length] + content[at:]
        elif what == 3:
            content = content[:at] + random.randbytes(length) + content[at:]
        elif what == 4:
            content = content[:at] + random.randbytes(min(length, len(content) - at)) + content[at + length :]
        else:
            content = content[:at] + random.choice(_TOKENS) + content[at:]
    return content


def text(random: Random) -> str:
    """A text that somebody might not have thought of."""
    return random.choice(_TEXTS)


def value(random: Random, depth: int = 0) -> Any:
    """A JSON value of any kind."""
    plain: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: random.random() < 0.5,
        lambda: random.choice(SIZES),
        lambda: random.choice((0.0, -0.0, 1.5, 1e39, -1e308, 1e-320, float("nan"), float("inf"))),
        lambda: text(random),
        lambda: {"b64": random.choice(("", "AA==", "A", "****", "é", "A A", "//79", "_-", 7, None, ["AA=="]))},
        lambda: 10 ** random.choice((18, 19, 20, 38, 39, 308, 309, 400)),
    )
    nested: tuple[Callable[[], Any], ...] = (
        lambda: [value(random, depth + 1) for _ in range(random.randrange(4))],
        lambda: {text(random): value(random, depth + 1) for _ in range(random.randrange(4))},
    )
    return random.choice(plain if depth > 3 else plain + nested)()


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a document."""
    found = []
    below = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, item in list(below):
        found += [(document, key), *_places(item)]
    return found


def spoil_document(random: Random, document: Any) -> Any:
    """A JSON document with one to three of its values replaced, removed, wrapped, doubled or renamed."""
    document = copy.deepcopy(document)
    for _ in range(random.randint(1, 3)):
        places = _places(document)
        if not places:
            return value(random)
        container, key = random.choice(places)
        what = random.randrange(6)
        if what <= 1:
            container[key] = value(random)
        elif what == 2:
            del container[key]
        elif what == 3:
            container[key] = [container[key]]
        elif what == 4 and isinstance(container, list):
            container.insert(key, copy.deepcopy(random.choice((container[key], value(random)))))
        elif isinstance(container, dict):
            container[text(random)] = container.pop(key) if what == 5 else value(random)
    return document
