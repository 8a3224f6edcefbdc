"""YAML as a person means it."""

from __future__ import annotations

import pytest
import yaml

from configs.strict_yaml import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("1e-5", 1e-5),
        ("-2E3", -2000.0),
        ("1.e+5", 1e5),
        ("1e", "1e"),
        ("1e5x", "1e5x"),
        ("true", True),
        ("null", None),
        ("", None),
        ("[1, 'a']", [1, "a"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("2024-01-31", "2024-01-31"),
        ("2024-13-45", "2024-13-45"),
        ("'7'", "7"),
    ],
)
def test_a_value_is_what_it_looks_like(text, value):
    found = parse(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["a: 1\na: 2", "x: {b: 1, b: 1}", "- {1: x, 1: y}"])
def test_a_key_given_twice_is_an_error(text):
    with pytest.raises(yaml.YAMLError, match="is given twice"):
        parse(text)


@pytest.mark.parametrize("text", ["[1", "a: b: c", "!!python/object:os.system x", "{[1]: 2}", "\x00", "*nowhere"])
def test_what_is_no_plain_yaml_is_an_error(text):
    with pytest.raises(yaml.YAMLError):
        parse(text)
