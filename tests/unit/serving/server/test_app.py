"""Compressed bodies."""

from __future__ import annotations

import gzip

import pytest

from serving.server.app import inflate


def test_gzip_is_undone():
    assert inflate(gzip.compress(b"body")) == b"body"


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(b"body")[:-4], gzip.compress(bytes(101 * 2**20))], ids=["none", "cut off", "bomb"]
)
def test_a_bad_or_huge_body_is_refused(body):
    with pytest.raises(ValueError, match="Failed to uncompress"):
        inflate(body)
