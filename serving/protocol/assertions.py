"""What a model itself says when it fails, out of the text that TensorFlow puts around it. Pure."""

from __future__ import annotations

import re

# `tf.debugging.Assert` in a graph: "assertion failed: [sentence] [value] ... \n\t [[{{node ...}}]]". A sentence may hold brackets itself:
# it ends before the next part, the next line or the end.
_FAILED = re.compile(r"assertion failed: \[(?P<sentence>.*?)\](?=\s+\[|\s*$)", re.DOTALL)
# Without a message of its own `assert_less` and its kin begin with this, and what follows it is what tells.
_CONDITION = "Condition "
# Where it happened in the graph: functions in front, nodes behind.
_IN_FRONT = re.compile(r"(?:\{\{function_node [^{}]*\}\} ?)+")
_BEHIND = re.compile(r"(?:\n\t)? ?\[\[\{\{node .*", re.DOTALL)
_ESCAPED = re.compile(r"""\\(['"\\])""")


def own_sentence(text: str) -> str:
    """The first part of a failed assertion, as the model's author wrote it; any other text without the names of TensorFlow's nodes."""
    found = _FAILED.search(text)
    sentence = found["sentence"].strip() if found else ""
    # Numbers alone are a tensor's.
    said = any(letter.isalpha() for letter in sentence) and not sentence.startswith(_CONDITION)
    return _ESCAPED.sub(r"\1", sentence) if said else _undecorated(text)


def _undecorated(text: str) -> str:
    front = _IN_FRONT.match(text)
    bare = _BEHIND.sub("", text[front.end() :] if front else text)
    # Nothing but decoration is better than nothing.
    return bare or text
