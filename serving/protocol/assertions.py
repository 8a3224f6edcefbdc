"""What a model itself says when one of its assertions fails, out of the text that TensorFlow puts around it. Pure."""

from __future__ import annotations

import re

# `tf.debugging.Assert` in a graph: "assertion failed: [sentence] [value] ... \n\t [[{{node ...}}]]". A sentence may hold brackets itself:
# it ends before the next part, the next line or the end.
_FAILED = re.compile(r"assertion failed: \[(?P<sentence>.*?)\](?=\s+\[|\s*$)", re.DOTALL)
# Without a message of its own `assert_less` and its kin begin with this, and what follows it is what tells.
_CONDITION = "Condition "
_ESCAPED = re.compile(r"""\\(['"\\])""")


def own_sentence(text: str) -> str:
    """The first part of a failed assertion, as the model's author wrote it; a text that has none is returned as it is."""
    found = _FAILED.search(text)
    sentence = found["sentence"].strip() if found else ""
    # Numbers alone are a tensor's.
    said = any(letter.isalpha() for letter in sentence) and not sentence.startswith(_CONDITION)
    return _ESCAPED.sub(r"\1", sentence) if said else text
