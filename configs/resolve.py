"""Pure rules of configuration: how an override changes a tree, and how a wrong value is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct, inspect

from configs.errors import ConfigError
from configs.strict_yaml import parse


def parse_override(text: str) -> tuple[list[str], Any]:
    """``a.b=1`` as (["a", "b"], 1); the value is read as YAML, so ``true``, ``null`` and ``[1, 2]`` mean what they do there."""
    key, separator, value = text.partition("=")
    path = key.strip().split(".")
    if not separator or not all(path):
        raise ConfigError(f"--set {text}: expected key=value, for example --set thresholds.auc=0.7")
    try:
        return path, parse(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {text}: {value!r} is not a YAML value") from error


def apply_override(tree: dict[str, Any], path: Sequence[str], value: Any, text: str) -> None:
    """Set one value in a tree in place, making the sections on the way."""
    node = tree
    for depth, key in enumerate(path[:-1]):
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {text}: {'.'.join(path[: depth + 1])} is a value, it has no key {path[depth + 1]!r}")
        node = child
    node[path[-1]] = value


def explain(shape: type[Struct], tree: Mapping[str, Any], error: str, file: str, overridden: Sequence[str]) -> str:
    """One line for a value that does not fit: where it came from, the key, the value, what is allowed.

    Args:
        shape: what the tree should have been.
        error: msgspec's message, which ends with the place.
    """
    message, _, place = error.partition(" - at ")
    location = re.findall(r"\.(\w+)|\[(?:\.\.\.|\d+)\]", place.rpartition("`$")[2])
    location = [part for part in location if part]
    unknown = re.search(r"(unknown|required) field `(.+)`", message)
    if unknown:
        location.append(unknown[2])
    key = ".".join(location) or "the file"
    source = (
        "--set " if any(key == name or key.startswith(name + ".") or name.startswith(key + ".") for name in overridden) else f"{file}: "
    )
    return f"{source}{key}: {_problem(shape, tree, message, location)}"


def _problem(shape: type[Struct], tree: Mapping[str, Any], message: str, location: list[str]) -> str:
    if "unknown field" in message:
        section = _type_at(shape, location[:-1])
        allowed = sorted(field.name for field in section.fields) if isinstance(section, inspect.StructType) else []
        return f"unknown key; allowed: {', '.join(allowed)}"
    if "required field" in message:
        return "missing; it has no default"
    value: Any = tree
    for part in location:
        value = value[part]
    wanted = _type_at(shape, location)
    if isinstance(wanted, inspect.StructType):
        return f"{value!r} is not a section with keys of its own"
    if isinstance(wanted, inspect.ListType) and isinstance(value, list):
        # The place msgspec names is an element's; the key is the list's.
        return f"{value!r} is not a list in which each is {_in_words(wanted.item_type)}"
    words = _in_words(wanted)
    # A number out of its bounds needs no telling that it must be a number.
    fits = type(value) is int or (isinstance(value, float) and isinstance(wanted, inspect.FloatType))
    return f"{value!r} is not {_bare(words) if fits else words}"


def _bare(words: str) -> str:
    bounds = re.search(r"(between|greater|at least|less|at most) .*", words)
    return bounds[0] if bounds else words


def _type_at(shape: type[Struct], location: Sequence[str]) -> inspect.Type:
    """What should stand at a place of the tree."""
    current: inspect.Type = inspect.type_info(shape)
    for part in location:
        if isinstance(current, inspect.StructType):
            current = next(field.type for field in current.fields if field.name == part)
        if isinstance(current, inspect.UnionType):
            current = next(member for member in current.types if not isinstance(member, inspect.NoneType))
    return current


def _in_words(wanted: inspect.Type) -> str:
    if isinstance(wanted, inspect.LiteralType):
        return f"one of: {', '.join(map(str, wanted.values))}"
    names = {inspect.FloatType: "a number", inspect.IntType: "a whole number", inspect.StrType: "a text", inspect.BoolType: "true or false"}
    names |= {inspect.ListType: "a list", inspect.DictType: "a section"}
    name = names.get(type(wanted), "of the right type")
    limits = {bound: getattr(wanted, bound, None) for bound in ("gt", "ge", "lt", "le")}
    if limits["ge"] is not None and limits["le"] is not None:
        return f"{name} between {limits['ge']:g} and {limits['le']:g}"
    words = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    bounds = [f"{words[bound]} {limit:g}" for bound, limit in limits.items() if limit is not None]
    return f"{name} {' and '.join(bounds)}".rstrip()
