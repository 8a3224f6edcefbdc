"""Pure rules of configuration: how an override changes a tree, and how a wrong value is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct, ValidationError, convert, inspect

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
            whole = "; give the whole list" if isinstance(child, list) else ""
            raise ConfigError(f"--set {text}: {'.'.join(path[: depth + 1])} is a value, it has no key {path[depth + 1]!r}{whole}")
        node = child
    node[path[-1]] = value


def settled(shape: type[Struct], tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with texts where an unquoted number stands for one, as in ``cpu: 8``."""
    found = _settled(inspect.type_info(shape), tree)
    return dict(found)


def _settled(wanted: inspect.Type, value: Any) -> Any:
    kind, extra = _plain(wanted)
    if type(value) in (int, float) and extra.get("number"):
        return str(value)
    if isinstance(value, Mapping):
        number = isinstance(kind, inspect.DictType) and _plain(kind.key_type)[1].get("number")
        return {str(key) if number and type(key) is int else key: _settled(_below(kind, key), part) for key, part in value.items()}
    return [_settled(_below(kind, place), part) for place, part in enumerate(value)] if isinstance(value, list) else value


def explain(shape: type[Struct], tree: Mapping[str, Any], error: str, file: str, overridden: Sequence[str]) -> str:
    """One line for a value that does not fit: where it came from, the key, the value, what is allowed.

    Args:
        shape: what the tree should have been.
        error: msgspec's message, which ends with the place.
    """
    message, _, place = error.partition(" - at ")
    location = _location(shape, tree, error)
    if place.startswith("`key` in "):
        wrong = next((key for key in _value_at(tree, location) if not isinstance(key, str)), None)
        return told(_key(location), f"the key {wrong!r} is not a text; put it in quotes", file, overridden)
    unknown = re.search(r"(unknown|required) field `(.+)`", message)
    if unknown:
        location.append(unknown[2])
    wanted, value = _type_at(shape, location), _value_at(tree, location)
    inside, _ = _plain(_type_at(shape, location[:-1]))
    if location and isinstance(inside, inspect.ListType) and not isinstance(_plain(wanted)[0], inspect.StructType):
        # The place msgspec names is an element's; the key is the list's.
        location.pop()
        problem = f"{_value_at(tree, location)!r} is not a list in which each is {_in_words(wanted)}"
    else:
        problem = _problem(inside, wanted, value, message)
    return told(_key(location), problem, file, overridden)


def told(key: str, problem: str, file: str, overridden: Sequence[str]) -> str:
    """The line: an override is named as one, everything else by its file."""
    ours = any(key == name or key.startswith((f"{name}.", f"{name}[")) or name.startswith(f"{key}.") for name in overridden)
    return f"{'--set ' if ours else f'{file}: '}{key}: {problem}"


def _location(shape: type[Struct], tree: Mapping[str, Any], error: str) -> list[Any]:
    """The way to the place that msgspec names. It leaves out the keys of a dict: such a one is the key that alone gives the same error."""
    place = error.partition(" - at ")[2].rpartition("`$")[2]
    location: list[Any] = []
    for name, element in re.findall(r"\.(\w+)|\[(\.\.\.|\d+)\]", place):
        if element != "...":
            location.append(name or int(element))
            continue
        there = _value_at(tree, location)
        keys = list(there) if isinstance(there, Mapping) else []
        location.append(next((key for key in keys if _error(shape, _only(tree, location, key)) == error), "*"))
    return location


def _only(tree: Any, location: Sequence[Any], key: Any) -> Any:
    """The way to a dict, with one key alone in it; the elements of a list keep their numbers."""
    if not location:
        return {key: tree[key]}
    changed = _only(tree[location[0]], location[1:], key)
    if isinstance(tree, list):
        return [changed if place == location[0] else part for place, part in enumerate(tree)]
    return {location[0]: changed}


def _error(shape: type[Struct], tree: Any) -> str | None:
    try:
        convert(tree, shape)
    except ValidationError as error:
        return str(error)
    return None


def _value_at(tree: Any, location: Sequence[Any]) -> Any:
    for part in location:
        inside = part in tree if isinstance(tree, Mapping) else isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        tree = tree[part] if inside else None
    return tree


def _key(location: Sequence[Any]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "the file"


def _problem(inside: inspect.Type, wanted: inspect.Type, value: Any, message: str) -> str:
    if "unknown field" in message:
        allowed = sorted(field.name for field in inside.fields) if isinstance(inside, inspect.StructType) else []
        return f"unknown key; allowed: {', '.join(allowed)}"
    if "required field" in message:
        return "missing; it has no default"
    words = _in_words(wanted)
    if value is None or value == "":
        return f"is empty, not {words}"
    # A number out of its bounds needs no telling that it must be a number.
    fits = type(value) is int or (isinstance(value, float) and isinstance(_plain(wanted)[0], inspect.FloatType))
    return f"{value!r} is not {_bare(words) if fits else words}"


def _bare(words: str) -> str:
    bounds = re.search(r"(between|greater|at least|less|at most) .*", words)
    return bounds[0] if bounds else words


def _type_at(shape: type[Struct], location: Sequence[Any]) -> inspect.Type:
    """What should stand at a place of the tree."""
    current: inspect.Type = inspect.type_info(shape)
    for part in location:
        current = _below(_plain(current)[0], part)
    return current


def _below(kind: inspect.Type, part: Any) -> inspect.Type:
    """What should stand at a key or an index of it."""
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.name == part), inspect.AnyType())
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    return kind.item_type if isinstance(kind, inspect.ListType) else inspect.AnyType()


def _plain(wanted: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """A type without ``| None`` and without what is said of it, and that."""
    if isinstance(wanted, inspect.UnionType):
        wanted = next(member for member in wanted.types if not isinstance(member, inspect.NoneType))
    if isinstance(wanted, inspect.Metadata):
        return wanted.type, wanted.extra or {}
    return wanted, {}


def _in_words(wanted: inspect.Type) -> str:
    wanted, extra = _plain(wanted)
    if "words" in extra:
        return str(extra["words"])
    if isinstance(wanted, inspect.LiteralType):
        return f"one of: {', '.join(map(str, wanted.values))}"
    names = {inspect.FloatType: "a number", inspect.IntType: "a whole number", inspect.StrType: "a text", inspect.BoolType: "true or false"}
    names |= {inspect.ListType: "a list", inspect.DictType: "a section", inspect.StructType: "a section with keys of its own"}
    name = names.get(type(wanted), "of the right type")
    limits = {bound: getattr(wanted, bound, None) for bound in ("gt", "ge", "lt", "le")}
    if limits["ge"] is not None and limits["le"] is not None:
        return f"{name} between {limits['ge']:g} and {limits['le']:g}"
    words = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    bounds = [f"{words[bound]} {limit:g}" for bound, limit in limits.items() if limit is not None]
    return f"{name} {' and '.join(bounds)}".rstrip()
