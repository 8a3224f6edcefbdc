"""Codes to errors, states to the live version."""

from __future__ import annotations

import pytest

from serving.clients import CLIENTS, load
from serving.clients.base import error_for, find_signature, is_loopback, latest_available
from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable
from serving.protocol.status import Code, State, VersionStatus


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.INVALID_ARGUMENT, BadRequest),
        (Code.FAILED_PRECONDITION, BadRequest),
        (Code.OUT_OF_RANGE, BadRequest),
        (Code.UNIMPLEMENTED, BadRequest),
        (Code.NOT_FOUND, ModelNotFound),
        (Code.UNAVAILABLE, Unavailable),
        (Code.DEADLINE_EXCEEDED, Unavailable),
        (Code.INTERNAL, PredictError),
    ],
)
def test_every_code_has_its_error(code, kind):
    error = error_for(code, "why")
    assert type(error) is kind
    assert (str(error), error.code) == ("why", code.name)


@pytest.mark.parametrize(
    ("states", "version"),
    [({}, None), ({1: State.END}, None), ({1: State.AVAILABLE, 2: State.LOADING}, 1), ({1: State.AVAILABLE, 3: State.AVAILABLE}, 3)],
)
def test_the_live_version_is_the_highest_available(states, version):
    assert latest_available([VersionStatus(number, state) for number, state in states.items()]) == version


@pytest.mark.parametrize(
    ("address", "expected"),
    [("http://127.0.0.1:80", True), ("localhost:80", True), ("[::1]:80", True), ("http://example.org:80", False), ("10.0.0.1:80", False)],
)
def test_loopback_is_recognised(address, expected):
    assert is_loopback(address) is expected


def test_a_missing_signature_names_those_there_are():
    with pytest.raises(BadRequest, match="no signature serving_default; it has: a, b"):
        find_signature({"b": None, "a": None}, None)


def test_an_unknown_transport_names_those_there_are():
    with pytest.raises(Exception, match=f"allowed: {', '.join(CLIENTS)}"):
        load("carrier pigeon")
