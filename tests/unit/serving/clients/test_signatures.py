"""Signatures are remembered, until someone finds them outdated."""

from __future__ import annotations

from serving.clients.base import Signatures
from serving.clients.signatures import SignatureCache
from serving.protocol.routes import Target


def test_what_was_put_is_known_until_forgotten_for_each_version_and_label():
    cache = SignatureCache()
    latest, first, stable = Target("m"), Target("m", 1), Target("m", label="stable")
    for target in (latest, first, stable):
        assert cache.get(target) is None
        cache.put(target, Signatures({}, target.version))
    cache.forget(latest)
    cache.forget(latest)
    assert cache.get(latest) is None
    assert cache.get(first).version == 1
    assert cache.get(stable) is not None
