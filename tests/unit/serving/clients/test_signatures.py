"""Signatures are fetched once, until someone finds them outdated."""

from __future__ import annotations

from serving.clients.signatures import SignatureCache


def test_each_version_is_fetched_once_until_forgotten():
    fetched = []
    cache = SignatureCache(lambda model, version: fetched.append((model, version)) or {})
    for version in (None, None, 1, 1):
        cache.get("m", version)
    assert fetched == [("m", None), ("m", 1)]
    cache.forget("m", None)
    cache.get("m", None)
    cache.get("m", 1)
    assert fetched == [("m", None), ("m", 1), ("m", None)]
