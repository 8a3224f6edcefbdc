"""YAML as a person means it: a key given twice is an error, 1e-5 is a number, and a date is a text like any other."""

from __future__ import annotations

import functools
import re
from typing import Any, TextIO

import yaml

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


def parse(text: str | TextIO) -> Any:
    """Plain values.

    Raises:
        yaml.YAMLError: it is not YAML, or a key of a mapping is given twice.
        UnicodeDecodeError: the file is not UTF-8.
    """
    return yaml.load(text, Loader=_loader())  # noqa: S506 - a subclass of the safe loader


@functools.cache
def _loader() -> Any:
    class Strict(yaml.SafeLoader):
        # YAML 1.1 makes dates of texts like 2024-01-01 and fails on 2024-13-01; no knob is a date.
        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.MarkedYAMLError(problem=f"key {twice!r} is given twice", problem_mark=node.start_mark)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    # YAML 1.1 wants a point and a sign in 1.0e-5; without them it reads a text.
    Strict.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789"))
    return Strict
