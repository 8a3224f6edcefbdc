"""Addresses as people write them, and options that contradict them."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from configs.gateway import Tls
from serving.clients import connect, connect_async, load_async
from serving.clients.async_grpc import AsyncGrpcClient
from serving.clients.async_rest import AsyncRestClient
from serving.clients.grpc import GrpcClient
from serving.clients.options import Options, Place, grpc_place, rest_place, transport_of
from serving.clients.rest import RestClient

OWN = Tls(ca_file="ca.pem")


@pytest.mark.parametrize(
    ("address", "transport"),
    [
        ("localhost:8500", "grpc"),
        ("[::1]:8500", "grpc"),
        ("grpc://a:1", "grpc"),
        ("grpcs://a:1", "grpc"),
        ("dns:///a:1", "grpc"),
        ("unix:/run/models", "grpc"),
        ("http://localhost:8501", "rest"),
        ("https://models.example", "rest"),
    ],
)
def test_an_address_says_its_transport(address, transport):
    assert transport_of(address) == transport


@pytest.mark.parametrize("address", ["localhost", "", "ftp://a:1", "localhost:", ":8500", "grpc://a"])
def test_an_address_that_says_none_is_told_what_to_write(address):
    with pytest.raises(UsageError, match=r"8500|host:port"):
        transport_of(address)


@pytest.mark.parametrize(
    ("place", "address", "tls", "expected"),
    [
        (rest_place, "a:1", False, Place("http://a:1", None)),
        (rest_place, "a:1", True, Place("https://a:1", Tls())),
        (rest_place, "a:1", OWN, Place("https://a:1", OWN)),
        (rest_place, "http://a:1/", False, Place("http://a:1", None)),
        (rest_place, "https://a", False, Place("https://a", Tls())),
        (rest_place, "https://a", OWN, Place("https://a", OWN)),
        (grpc_place, "a:1", False, Place("a:1", None)),
        (grpc_place, "a:1", True, Place("a:1", Tls())),
        (grpc_place, "http://a:1", False, Place("a:1", None)),
        (grpc_place, "grpcs://a:1", False, Place("a:1", Tls())),
        (grpc_place, "grpcs://a:1", OWN, Place("a:1", OWN)),
        (grpc_place, "dns:///a:1", OWN, Place("dns:///a:1", OWN)),
        (grpc_place, "unix:///run/models", False, Place("unix:///run/models", None)),
    ],
)
def test_a_place_is_an_address_and_its_tls(place, address, tls, expected):
    assert place(address, Options(tls=tls)) == expected


@pytest.mark.parametrize(
    ("place", "address", "tls"),
    [
        (rest_place, "http://a:1", True),
        (rest_place, "grpc://a:1", False),
        (grpc_place, "grpc://a:1", OWN),
        (grpc_place, "http://a:1", True),
        (grpc_place, "ftp://a:1", False),
    ],
)
def test_what_contradicts_itself_is_told(place, address, tls):
    with pytest.raises(UsageError, match=address):
        place(address, Options(tls=tls))


@pytest.mark.parametrize("wrong", [{"retries": -1}, {"retries": 21}, {"timeout": 0}, {"timeout": float("nan")}, {"timeout": float("inf")}])
def test_an_option_out_of_range_is_told(wrong):
    (name,) = wrong
    with pytest.raises(UsageError, match=name):
        Options(**wrong)


def test_a_key_in_a_header_is_not_shown():
    assert "secret" not in repr(Options(headers={"x-api-key": "secret"}))


@pytest.mark.parametrize(
    ("make", "address", "kind"),
    [
        (connect, "localhost:1", GrpcClient),
        (connect, "http://localhost:1", RestClient),
        (connect_async, "localhost:1", AsyncGrpcClient),
        (connect_async, "http://localhost:1", AsyncRestClient),
    ],
)
def test_connecting_makes_the_client_of_the_address(make, address, kind):
    assert type(make(address)) is kind


def test_an_unknown_style_names_those_there_are():
    with pytest.raises(UsageError, match="allowed: async-rest, async-grpc"):
        load_async("rest")


@pytest.mark.parametrize("address", ["http://a:b", "http://a:99999"])
def test_an_address_that_is_no_url_is_told(address):
    with pytest.raises(UsageError, match="is not an address"):
        connect(address)


@pytest.mark.parametrize(
    "headers", [{"x-api-key": "sw_secret\n"}, {"x-api-key": " sw_secret"}, {"x-api-key": "sw_secretÜ"}, {"x key": "sw_secret"}]
)
def test_a_header_that_cannot_be_sent_is_told_without_its_value(headers):
    with pytest.raises(UsageError) as caught:
        Options(headers=headers)
    assert "sw_secret" not in str(caught.value)
    assert next(iter(headers)) in str(caught.value)


def test_headers_that_can_be_sent_are():
    assert Options(headers={"x-api-key": "sw_a-b c", "x-empty": ""}).headers["x-empty"] == ""
