"""A model server over gRPC: failures are counted by model, copies count for nothing, signatures are remembered for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import grpc.aio
import pytest

from configs.gateway import Breaker, Tls, Upstream
from serving.gateway.routing import Target
from serving.gateway.upstream import LeftAlone, UpstreamServer, ingredients, model_spec
from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from tests.fakes.clock import FakeClock
from tests.integration.serving.clients.certificates import make

SECONDS = 5.0
NEWEST = Target()
UNAVAILABLE, INVALID = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT


class Server:
    """Answers every predict call as its list says, from the front: a code, ``hang``, or well."""

    def __init__(self, *troubles: Any) -> None:
        self.troubles, self.calls = list(troubles), 0
        self.clock, self._over = FakeClock(), asyncio.Event()

    async def predict(self, request: wire.PredictRequest, context: Any) -> wire.PredictResponse:
        self.calls += 1
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "hang":
            await self._over.wait()
        elif trouble is not None:
            await context.abort(trouble, "its own words")
        return wire.PredictResponse(model_spec=request.model_spec)

    async def metadata(self, request: wire.GetModelMetadataRequest, context: Any) -> wire.GetModelMetadataResponse:
        del context
        self.calls += 1
        answer = wire.GetModelMetadataResponse(model_spec=request.model_spec)
        answer.model_spec.version.value = self.calls
        answer.metadata["signature_def"].value = wire.SignatureDefMap().SerializeToString()
        return answer

    def end(self) -> None:
        self._over.set()


def with_server(story: Callable[[UpstreamServer, Server], Coroutine[Any, Any, None]], *troubles: Any) -> None:
    async def played() -> None:
        server, rpc = Server(*troubles), grpc.aio.server()
        handlers = {
            "Predict": grpc.unary_unary_rpc_method_handler(
                server.predict, wire.PredictRequest.FromString, wire.PredictResponse.SerializeToString
            ),
            "GetModelMetadata": grpc.unary_unary_rpc_method_handler(
                server.metadata, wire.GetModelMetadataRequest.FromString, wire.GetModelMetadataResponse.SerializeToString
            ),
        }
        rpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", handlers),))
        port = rpc.add_insecure_port("127.0.0.1:0")
        await rpc.start()
        upstream = UpstreamServer("default", Upstream(grpc=f"127.0.0.1:{port}"), Breaker(failures=2, open_seconds=60), server.clock)
        try:
            await story(upstream, server)
        finally:
            await upstream.close()
            server.end()
            await rpc.stop(None)

    asyncio.run(played())


async def code_of(call: Coroutine[Any, Any, Any]) -> str:
    try:
        await call
    except LeftAlone:
        return "left alone"
    except StatusError as error:
        return error.code.name
    return "answered"


def predict(upstream: UpstreamServer, model: str = "m", seconds: float = SECONDS, **more: Any) -> Coroutine[Any, Any, Any]:
    return upstream.predict(wire.PredictRequest(model_spec=model_spec(model, NEWEST)), seconds, **more)


def test_after_failures_in_a_row_the_model_is_left_alone_and_others_are_not():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        assert [await code_of(predict(upstream)) for _ in range(3)] == ["UNAVAILABLE", "UNAVAILABLE", "left alone"]
        assert (server.calls, upstream.is_open) == (2, True)
        assert await code_of(predict(upstream, "other")) == "answered"
        with pytest.raises(LeftAlone, match="the model server default does not answer; it is tried again in 60 s"):
            await predict(upstream)

    with_server(story, UNAVAILABLE, UNAVAILABLE)


@pytest.mark.parametrize(
    "between", [None, INVALID, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED]
)
def test_an_answer_between_starts_the_count_anew_even_a_bad_one(between):
    async def story(upstream: UpstreamServer, _: Server) -> None:
        found = [await code_of(predict(upstream)) for _ in range(5)]
        assert "left alone" not in found
        assert not upstream.is_open

    with_server(story, UNAVAILABLE, between, UNAVAILABLE, None)


def test_it_is_tried_again_after_a_while_and_taken_back():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        found = [await code_of(predict(upstream)) for _ in range(2)]
        server.clock.now += 60
        found += [await code_of(predict(upstream)) for _ in range(2)]
        assert found == ["UNAVAILABLE", "UNAVAILABLE", "answered", "answered"]
        assert not upstream.is_open

    with_server(story, UNAVAILABLE, UNAVAILABLE)


def test_a_slow_server_counts_as_one_that_is_not_there():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        with pytest.raises(StatusError, match="the model server default did not answer within 0"):
            await predict(upstream, seconds=0.05)
        assert [await code_of(predict(upstream, seconds=0.05)) for _ in range(2)] == ["DEADLINE_EXCEEDED", "left alone"]
        server.end()

    with_server(story, "hang", "hang")


def test_a_copy_tells_nothing_of_the_servers_health():
    async def story(upstream: UpstreamServer, _: Server) -> None:
        assert [await code_of(predict(upstream, counted=False)) for _ in range(4)] == ["UNAVAILABLE"] * 4
        assert not upstream.is_open
        # Nor does a copy that is answered well make up for failures.
        assert [await code_of(predict(upstream, counted=counted)) for counted in (True, False, True)] == [
            "UNAVAILABLE",
            "answered",
            "UNAVAILABLE",
        ]
        assert await code_of(predict(upstream, counted=False)) == "left alone"

    with_server(story, *[UNAVAILABLE] * 5, None, UNAVAILABLE)


def test_a_copy_is_never_the_trial():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        assert [await code_of(predict(upstream)) for _ in range(2)] == ["UNAVAILABLE"] * 2
        server.clock.now += 60
        assert await code_of(predict(upstream, counted=False)) == "UNAVAILABLE"
        assert await code_of(predict(upstream)) == "answered"

    with_server(story, *[UNAVAILABLE] * 3)


def test_a_trial_that_is_cancelled_leaves_room_for_the_next():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        assert [await code_of(predict(upstream)) for _ in range(2)] == ["UNAVAILABLE"] * 2
        server.clock.now += 60
        trial = asyncio.ensure_future(predict(upstream))
        while server.calls < 3:
            await asyncio.sleep(0.001)
        assert await code_of(predict(upstream)) == "left alone"
        trial.cancel()
        await asyncio.wait([trial])
        assert await code_of(predict(upstream)) == "answered"

    with_server(story, UNAVAILABLE, UNAVAILABLE, "hang")


def test_what_is_told_of_a_model_says_nothing_of_its_predictions():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        assert await code_of(predict(upstream)) == "UNAVAILABLE"
        await upstream.signatures("m", NEWEST, SECONDS)
        assert [await code_of(predict(upstream)) for _ in range(2)] == ["UNAVAILABLE", "left alone"]
        calls = server.calls
        await upstream.definitions("m", NEWEST, SECONDS)
        await upstream.signatures("m", NEWEST, SECONDS, oldest=0.0, counted=False)
        assert server.calls == calls + 2
        # What a request asks first is not asked for one that would be turned away.
        assert await code_of(upstream.signatures("m", NEWEST, SECONDS, oldest=0.0)) == "left alone"
        assert server.calls == calls + 2

    with_server(story, UNAVAILABLE, UNAVAILABLE)


def test_the_trial_is_a_prediction():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        assert [await code_of(predict(upstream)) for _ in range(2)] == ["UNAVAILABLE"] * 2
        server.clock.now += 60
        await upstream.signatures("m", NEWEST, SECONDS)
        assert upstream.is_open
        assert [await code_of(predict(upstream)) for _ in range(2)] == ["UNAVAILABLE", "left alone"]

    with_server(story, *[UNAVAILABLE] * 3)


def test_who_cannot_even_tell_signatures_to_a_request_is_left_alone_too():
    async def story() -> None:
        upstream = UpstreamServer("far", Upstream(grpc="127.0.0.1:1"), Breaker(failures=2))
        assert [await code_of(upstream.status("m", SECONDS)) for _ in range(3)] == ["UNAVAILABLE"] * 3
        assert not upstream.is_open
        asked = [await code_of(upstream.signatures("m", NEWEST, SECONDS)) for _ in range(3)]
        assert asked == ["UNAVAILABLE", "UNAVAILABLE", "left alone"]
        await upstream.close()

    asyncio.run(story())


def test_a_call_on_one_that_was_closed_is_told():
    async def story(upstream: UpstreamServer, _: Server) -> None:
        await upstream.close()
        assert await code_of(predict(upstream)) == "UNAVAILABLE"

    with_server(story)


def test_the_servers_own_words_are_told():
    async def story(upstream: UpstreamServer, _: Server) -> None:
        with pytest.raises(StatusError, match="its own words"):
            await predict(upstream)

    with_server(story, INVALID)


def test_nobody_at_the_address_is_told():
    async def story() -> None:
        upstream = UpstreamServer("far", Upstream(grpc="127.0.0.1:1"), Breaker())
        with pytest.raises(StatusError, match="the model server far cannot be reached") as caught:
            await upstream.status("m", SECONDS)
        assert caught.value.code is Code.UNAVAILABLE
        assert not await upstream.reachable(SECONDS)
        await upstream.close()

    asyncio.run(story())


def test_signatures_are_remembered_for_a_while():
    async def story(upstream: UpstreamServer, server: Server) -> None:
        async def version(target: Target = NEWEST, **more: Any) -> int:
            return (await upstream.signatures("m", target, SECONDS, **more)).version

        assert [await version(), await version()] == [1, 1]
        assert await version(Target(label="canary")) == 2
        assert await version(oldest=0.0) == 3
        assert await version() == 3
        server.clock.now += 60
        assert await version() == 4

    with_server(story)


def test_another_certificate_in_the_same_file_makes_another_upstream(tmp_path):
    one, other = make(tmp_path, "one.example"), make(tmp_path, "other.example")
    config = Upstream(tls=Tls(ca_file=str(one.cert_file)))
    before = ingredients("a", config, Breaker())
    assert ingredients("a", config, Breaker()) == before
    one.cert_file.write_bytes(other.cert_file.read_bytes())
    assert ingredients("a", config, Breaker()) != before
