"""Retries, deadlines and connections that are kept, over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serving.clients import ASYNC_CLIENTS, CLIENTS, connect, connect_async
from serving.clients.options import Options
from serving.errors import PredictError, Unavailable
from tests.integration.serving.clients.on_loop import OnLoop, opened
from tests.integration.serving.clients.troubled import GOOD, Troubled, troubled

TRANSPORTS = (*CLIENTS, *ASYNC_CLIENTS)
REST = [name for name in TRANSPORTS if name.endswith("rest")]


class Pauses(list[float]):
    """A sleep that only remembers how long it would have been, for either style."""

    def __init__(self, transport: str) -> None:
        super().__init__()
        self._waits = transport in ASYNC_CLIENTS

    def __call__(self, seconds: float) -> Any:
        self.append(seconds)
        return asyncio.sleep(0) if self._waits else None


def client_of(transport: str, server: Troubled, retries: int, pauses: Pauses | None = None, **more: Any) -> Any:
    sleep = {} if pauses is None else {"sleep": pauses}
    return opened(transport, server.rest_address, server.grpc_address, Options(retries=retries, **more), **sleep)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_that_is_unavailable_twice_is_asked_three_times(transport):
    pauses = Pauses(transport)
    with troubled(["busy", "busy"]) as server, client_of(transport, server, 2, pauses) as client:
        assert client.status("m") == GOOD
        assert len(server.asked) == 3
    first, second = pauses
    assert 0.1 <= first <= 0.2 <= second <= 0.4


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("retries", [0, 1])
def test_it_is_asked_no_more_often_than_was_said(transport, retries):
    with troubled(["busy"] * 5) as server, client_of(transport, server, retries, Pauses(transport)) as client:
        with pytest.raises(Unavailable, match="the queue is full"):
            client.status("m")
        assert len(server.asked) == retries + 1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_error_of_another_kind_is_told_at_once(transport):
    with troubled(["broken"]) as server, client_of(transport, server, 5, Pauses(transport)) as client:
        with pytest.raises(PredictError, match="a bug") as caught:
            client.status("m")
        assert (caught.value.code, len(server.asked)) == ("INTERNAL", 1)


@pytest.mark.parametrize("transport", REST)
def test_a_call_that_may_have_run_is_not_sent_again(transport):
    with troubled(["lost"]) as server, client_of(transport, server, 5, Pauses(transport)) as client:
        with pytest.raises(Unavailable) as caught:
            client.status("m")
        assert (caught.value.code, len(server.asked)) == ("UNAVAILABLE", 1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nobody_at_the_address_is_tried_again(transport):
    pauses = Pauses(transport)
    with (
        opened(transport, "127.0.0.1:1", "127.0.0.1:1", Options(retries=3), sleep=pauses) as client,
        pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"),
    ):
        client.status("m", timeout=20)
    assert len(pauses) == 3


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_time_that_is_up_ends_the_call_and_is_not_tried_again(transport):
    with troubled(["slow"]) as server, client_of(transport, server, 5, Pauses(transport)) as client:
        with pytest.raises(Unavailable) as caught:
            client.status("m", timeout=0.3)
        assert (caught.value.code, len(server.asked)) == ("DEADLINE_EXCEEDED", 1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_time_out_of_the_client_holds_for_calls_that_name_none(transport):
    with troubled(["slow"]) as server, client_of(transport, server, 0, timeout=0.3) as client:
        with pytest.raises(Unavailable) as caught:
            client.live_version("m")
        assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("transport", REST)
def test_an_answer_that_trickles_in_ends_with_the_time_too(transport):
    with troubled(["trickle"]) as server, client_of(transport, server, 0) as client, pytest.raises(Unavailable) as caught:
        client.status("m", timeout=0.3)
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_pause_that_the_time_does_not_hold_is_not_made(transport):
    pauses = Pauses(transport)
    with troubled(["busy"] * 9) as server, client_of(transport, server, 9, pauses) as client:
        with pytest.raises(Unavailable, match="the queue is full"):
            client.status("m", timeout=0.09)
        assert pauses == []


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_headers_go_with_every_call(transport):
    with troubled() as server, client_of(transport, server, 0, headers={"X-API-Key": "k1"}) as client:
        client.status("m")
        client.live_version("m")
        assert [headers["x-api-key"] for headers in server.asked] == ["k1", "k1"]


@pytest.mark.parametrize("transport", REST)
def test_one_connection_is_kept_for_many_calls(transport):
    with troubled(["good"] * 3) as server, client_of(transport, server, 0) as client:
        for _ in range(3):
            client.status("m")
        pool = (client.client if isinstance(client, OnLoop) else client)._http._transport._pool
        assert len(pool.connections) == 1
        assert pool.connections[0].is_idle()


def test_connecting_by_address_tries_again_unless_told_otherwise():
    with troubled(["busy"] * 2) as server, connect(server.grpc_address) as client:
        assert client.status("m") == GOOD
    with troubled(["busy"] * 2) as server, connect(server.rest_address, retries=0) as client, pytest.raises(Unavailable):
        client.status("m")


def test_asyncio_asks_many_at_once():
    async def ask(address: str) -> list[Any]:
        async with connect_async(address) as client:
            return await asyncio.gather(*(client.live_version("m") for _ in range(20)))

    with troubled() as server:
        for address in (server.rest_address, server.grpc_address):
            assert asyncio.run(ask(address)) == [7] * 20


def test_a_cancelled_call_leaves_the_client_usable():
    async def ask(address: str) -> Any:
        async with connect_async(address) as client:
            call = asyncio.ensure_future(client.status("m"))
            while not server.asked:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return await client.status("m")

    for kind in ("rest_address", "grpc_address"):
        with troubled(["slow"]) as server:
            assert asyncio.run(ask(getattr(server, kind))) == GOOD
