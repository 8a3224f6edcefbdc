"""Pure rules of configuration: how an override changes a tree, and how a wrong value is told."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from configs.errors import ConfigError


def parse_override(text: str) -> tuple[list[str], Any]:
    """``a.b=1`` as (["a", "b"], 1); the value is read as YAML, so ``true``, ``null`` and ``[1, 2]`` mean what they do there."""
    key, separator, value = text.partition("=")
    path = key.strip().split(".")
    if not separator or not all(path):
        raise ConfigError(f"--set {text}: expected key=value, for example --set thresholds.auc=0.7")
    try:
        return path, yaml.safe_load(value)
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


def explain(shape: type[BaseModel], error: ValidationError, file: str, overridden: Sequence[str]) -> str:
    """All problems of a configuration, one a line: where it came from, the key, the value, what is allowed."""
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        location = tuple(str(part) for part in problem["loc"] if part != "[key]")
        key = ".".join(location)
        name = next((name for name in overridden if key == name or key.startswith(name + ".")), None)
        source = "--set " if name else f"{file}: "
        # A value that fits no member of a union is told once, not once a member.
        lines.setdefault(name or key, source + _problem(shape, name or key, location, problem))
    return "\n".join(lines.values())


def _problem(shape: type[BaseModel], key: str, location: tuple[str, ...], problem: Any) -> str:
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        section = _section(shape, location[:-1])
        allowed = ", ".join(sorted(section.model_fields)) if section else "none"
        return f"{key}: unknown key; allowed: {allowed}"
    if kind == "missing":
        return f"{key}: missing; it has no default"
    bounds = _bounds(shape, location)
    if bounds and kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}:
        return f"{key}: {value!r} is not {bounds}"
    if kind == "literal_error":
        return f"{key}: {location[-1] if problem['loc'][-1:] == ('[key]',) else value!r} is not one of {context['expected'].replace(' or ', ', ')}"
    if kind in {"model_type", "dict_type"}:
        return f"{key}: {value!r} is not a section with keys of its own"
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("a valid ").replace("Input ", "")
    return f"{key}: {value!r} is not {_with_article(expected)}"


def _with_article(noun: str) -> str:
    if noun.startswith(("a ", "an ", "greater", "less", "one ")):
        return noun
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _section(shape: type[BaseModel], location: Sequence[str]) -> type[BaseModel] | None:
    """The model class that stands at a place of the tree."""
    current: Any = shape
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            current = field.annotation if field else None
        elif get_origin(current) is dict:
            current = get_args(current)[1]
        current = _without_none(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    members = [part for part in get_args(annotation) if part is not type(None)]
    is_union = get_origin(annotation) in {Union, types.UnionType}
    return members[0] if is_union and len(members) == 1 else annotation


def _bounds(shape: type[BaseModel], location: Sequence[str]) -> str:
    """What a number at this place must keep, in words."""
    section = _section(shape, location[:-1])
    field = section.model_fields.get(location[-1]) if section and location else None
    if field is None:
        return ""
    marks: list[Any] = list(field.metadata)
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) is typing.Annotated:
            marks += [mark for info in get_args(part)[1:] for mark in getattr(info, "metadata", [info])]
    limits = {name: getattr(mark, name) for mark in marks for name in ("ge", "gt", "le", "lt") if getattr(mark, name, None) is not None}
    if "ge" in limits and "le" in limits:
        return f"between {limits['ge']:g} and {limits['le']:g}"
    words = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    return " and ".join(f"{words[name]} {limit:g}" for name, limit in limits.items())
