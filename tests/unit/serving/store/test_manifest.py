"""The manifest: who a version is, and the digest of each of its files."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import VersionDamaged
from serving.store.manifest import FORMAT, MANIFEST, Identity, Manifest, content_digest, differences, digest_files, read_manifest

IDENTITY = Identity("run", "taxi", "sha256:f", 3, {"auc": 0.91})
WHOLE = Manifest("taxi", 4, "2024-05-01T12:00:00+00:00", "sha256:d", {"saved_model.pb": "ab"}, IDENTITY)
names = st.dictionaries(st.text(min_size=1), st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5)


def test_a_manifest_comes_back_as_it_was():
    assert Manifest.from_json(WHOLE.to_json()) == WHOLE


def test_a_first_model_has_no_champion():
    first = Manifest("taxi", 1, "2024-05-01T12:00:00+00:00", "sha256:d", {}, Identity("run", "taxi"))
    assert Manifest.from_json(first.to_json()).identity.champion is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "7", "{}", json.dumps({"format": 1}), WHOLE.to_json().replace('"model"', '"modle"'), '{"format": "1"}'],
)
def test_what_is_no_manifest_is_damage(text):
    with pytest.raises(VersionDamaged, match="not a manifest"):
        Manifest.from_json(text)


def test_a_newer_format_asks_for_an_upgrade():
    text = json.dumps({**json.loads(WHOLE.to_json()), "format": FORMAT + 1, "new": 1})
    with pytest.raises(VersionDamaged, match=f"format {FORMAT + 1} is newer than {FORMAT}; upgrade"):
        Manifest.from_json(text)


@pytest.mark.parametrize("content", [None, b"\xff", b""])
def test_an_unreadable_manifest_names_the_place(tmp_path, content):
    if content is not None:
        (tmp_path / MANIFEST).parent.mkdir()
        (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(VersionDamaged):
        read_manifest(tmp_path)


def test_every_file_is_digested_but_the_manifest(tmp_path):
    for name, content in {"b": b"2", "a/deep/er": b"1", MANIFEST: b"{}"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert digest_files(tmp_path) == {"a/deep/er": hashlib.sha256(b"1").hexdigest(), "b": hashlib.sha256(b"2").hexdigest()}


def test_a_large_file_is_digested_whole(tmp_path):
    content = b"x" * (1 << 20) + b"y"
    (tmp_path / "big").write_bytes(content)
    assert digest_files(tmp_path)["big"] == hashlib.sha256(content).hexdigest()


@given(names)
def test_the_digest_of_a_set_of_files_knows_no_order(files):
    assert content_digest(files) == content_digest(dict(reversed(files.items())))


@given(names, names)
def test_other_files_have_another_digest(files, others):
    assert (content_digest(files) == content_digest(others)) == (files == others)


def test_differences_name_each_file_and_what_happened_to_it():
    expected, found = {"same": "1", "changed": "2", "gone": "3"}, {"same": "1", "changed": "x", "new": "4"}
    assert differences(expected, found) == ["gone is missing", "new does not belong there", "changed was changed"]
    assert differences(expected, expected) == []
