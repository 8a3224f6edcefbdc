"""The REST port without a socket: what is answered where, what is too large, which headers an answer has."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serving.server import app as module
from serving.server.app import App, HttpSettings, inflate
from serving.server.batching.batched import MOST_TOGETHER
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.rest_api import Answer
from tests.fakes.core import core_of

PATH = "/v1/models/m:predict"
JSON = {b"content-type": b"application/json"}


class Api:
    """Echoes bodies and remembers what it was asked, and whether that was on the loop; ``said`` is what it says of its own speed."""

    def __init__(self) -> None:
        self.said: tuple[bool | None, bool] = (None, False)
        self.calls: list[tuple[str, list[bytes]]] = []
        self.generation = 0

    def answer(self, method: str, _: str, body: bytes) -> Answer:
        self._note(method, [body])
        return self._echo(body)

    def answer_together(self, path: str, bodies: Sequence[bytes]) -> list[Answer]:
        del path
        self._note("together", list(bodies))
        return [self._echo(body) for body in bodies]

    def _echo(self, body: bytes) -> Answer:
        quick, together = self.said
        return Answer(200, body, quick=quick, together=together)

    def _note(self, how: str, bodies: list[bytes]) -> None:
        on_loop = threading.current_thread() is threading.main_thread()
        self.calls.append((f"{how} on the loop" if on_loop else how, bodies))

    def where(self) -> list[str]:
        return [how for how, _ in self.calls]


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def make(api: Api) -> Iterator[Any]:
    with ThreadPoolExecutor(2) as executor:
        yield lambda **settings: App(api, Pages(core_of(Models()), "/metrics"), executor, HttpSettings(**settings))  # type: ignore[arg-type]


Reply = tuple[int, dict[bytes, bytes], bytes]


async def ask(
    app: App, body: bytes = b"", *, method: str = "POST", path: str = PATH, parts: Sequence[bytes] = (), **headers: bytes
) -> Reply:
    """One request; `parts` send the body in pieces."""
    pieces = list(parts) or [body]
    messages = [{"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1} for place, piece in enumerate(pieces)]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    await app({"type": "http", "method": method, "raw_path": path.encode(), "headers": given}, receive, send)
    assert not messages, "the body was not read to its end: the connection could not be used again"
    start, end = sent
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(end["body"])
    return start["status"], {name: value for name, value in start["headers"] if name != b"content-length"}, end["body"]


def run(app: App, *bodies: bytes, **request: Any) -> list[Reply]:
    """Requests that are all there in the same turn of the loop."""

    async def all_at_once() -> list[Reply]:
        return list(await asyncio.gather(*(ask(app, body, **request) for body in bodies or (b"",))))

    return asyncio.run(all_at_once())


def test_gzip_is_undone():
    assert inflate(gzip.compress(b"body")) == b"body"


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(b"body")[:-4], gzip.compress(bytes(101 * 2**20)), b""], ids=["none", "cut off", "bomb", "empty"]
)
def test_a_bad_or_huge_body_is_refused(body):
    with pytest.raises(ValueError, match="Failed to uncompress"):
        inflate(body)


def test_a_request_whose_speed_nobody_knows_goes_to_a_thread(make, api):
    assert run(make(), b"a") == [(200, JSON, b"a")]
    assert api.where() == ["POST"]


def test_after_a_quick_answer_the_next_is_given_where_it_is_read(make, api):
    app, api.said = make(), (True, False)
    for body in (b"a", b"b", b"c"):
        assert run(app, body) == [(200, JSON, body)]
    assert api.where() == ["POST", "POST on the loop", "POST on the loop"]


@pytest.mark.parametrize(("said", "then"), [(False, "POST"), (None, "POST on the loop")])
def test_a_slow_answer_sends_the_next_to_a_thread_and_an_error_teaches_nothing(make, api, said, then):
    app, api.said = make(), (True, False)
    run(app)
    api.said = (said, False)
    run(app)
    run(app)
    assert api.where() == ["POST", "POST on the loop", then]


def test_what_was_learned_is_of_one_path(make, api):
    app, api.said = make(), (True, False)
    run(app)
    run(app, path="/v1/models/other:predict")
    assert api.where() == ["POST", "POST"]


@pytest.mark.parametrize(("size", "where"), [(16 * 1024, "POST on the loop"), (16 * 1024 + 1, "POST")])
def test_a_large_body_goes_to_a_thread_however_quick_the_model(make, api, size, where):
    app, api.said = make(), (True, False)
    run(app)
    run(app, bytes(size))
    assert api.where() == ["POST", where]


def test_the_size_that_counts_is_the_one_after_gzip(make, api):
    app, api.said = make(), (True, False)
    run(app)
    assert run(app, gzip.compress(bytes(20_000)), content_encoding=b"gzip") == [(200, JSON, bytes(20_000))]
    assert api.where() == ["POST", "POST"]


def test_only_posts_are_answered_on_the_loop(make, api):
    app, api.said = make(), (True, True)
    run(app, method="GET")
    run(app, method="GET")
    assert api.where() == ["GET", "GET"]


def test_a_client_that_invents_paths_fills_no_memory(make, api, monkeypatch):
    monkeypatch.setattr(module, "_MOST_PATHS", 2)
    app, api.said = make(), (True, False)
    for _ in range(2):
        for path in ("/a", "/b", "/c"):
            run(app, path=path)
    assert api.where() == ["POST"] * 3 + ["POST on the loop"] * 2 + ["POST"]


def test_requests_of_one_turn_are_answered_in_one_run(make, api):
    app, api.said = make(), (True, True)
    run(app, b"first")
    assert run(app, b"a", b"b", b"c") == [(200, JSON, b"a"), (200, JSON, b"b"), (200, JSON, b"c")]
    assert run(app, b"d") == [(200, JSON, b"d")]
    assert api.calls[1:] == [("together on the loop", [b"a", b"b", b"c"]), ("together on the loop", [b"d"])]


def test_requests_to_different_paths_are_not_gathered(make, api):
    app, api.said = make(), (True, True)

    async def both() -> list[Reply]:
        return list(await asyncio.gather(ask(app, b"a"), ask(app, b"b", path="/v1/models/n:predict"), ask(app, b"c")))

    asyncio.run(both())
    api.calls.clear()
    assert [reply[2] for reply in asyncio.run(both())] == [b"a", b"b", b"c"]
    assert sorted(api.calls) == [("together on the loop", [b"a", b"c"]), ("together on the loop", [b"b"])]


def test_a_crowd_is_answered_in_groups(make, api):
    app, api.said = make(), (True, True)
    run(app)
    bodies = [b"%d" % number for number in range(2 * MOST_TOGETHER + 1)]
    assert [reply[2] for reply in run(app, *bodies)] == bodies
    assert [len(asked) for _, asked in api.calls[1:]] == [MOST_TOGETHER, MOST_TOGETHER, 1]


def test_a_client_that_leaves_while_its_request_waits_takes_no_other_along(make, api):
    app, api.said = make(), (True, True)
    run(app)

    async def one_leaves() -> Reply:
        leaving, staying = asyncio.create_task(ask(app, b"leaving")), asyncio.create_task(ask(app, b"staying"))
        asyncio.get_running_loop().call_soon(leaving.cancel)  # comes after both were read, and before their answer
        found = await staying
        assert leaving.cancelled()
        return found

    assert asyncio.run(one_leaves())[2] == b"staying"
    assert api.calls[1:] == [("together on the loop", [b"leaving", b"staying"])]


def test_a_model_that_became_slow_is_gathered_no_more(make, api):
    app, api.said = make(), (True, True)
    run(app)
    api.said = (False, False)
    run(app, b"a", b"b")
    run(app, b"c")
    assert api.where() == ["POST", "together on the loop", "POST"]


@pytest.mark.parametrize(
    ("parts", "status"),
    [([b"1234"], 200), ([b"12345"], 413), ([b"12", b"34"], 200), ([b"12", b"345"], 413), ([b"1", b"2", b"3", b"", b"45", b"6"], 413)],
)
def test_a_body_above_the_limit_is_refused_and_read_to_its_end(make, api, parts, status):
    ((found, _, body),) = run(make(largest_body=4), parts=parts)
    assert found == status
    if status == 413:
        assert body == b'{\n    "error": "The request body is larger than 4 bytes"\n}'
        assert not api.calls
    else:
        assert body == b"".join(parts)


def test_without_a_limit_any_body_is_read(make):
    assert run(make(), parts=[bytes(2**20)] * 3)[0][2] == bytes(3 * 2**20)


def test_a_client_that_leaves_before_its_body_is_there_gets_nothing(make, api):
    async def half() -> None:
        messages = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(_: Any) -> None:
            raise AssertionError("nobody is there")

        await make()({"type": "http", "method": "POST", "raw_path": b"/", "headers": []}, receive, send)

    asyncio.run(half())
    assert not api.calls


@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip, identity"])
def test_a_compressed_body_is_undone(make, encoding):
    assert run(make(), gzip.compress(b"body"), content_encoding=encoding) == [(200, JSON, b"body")]


def test_a_body_that_is_not_compressed_as_it_says_is_an_error(make, api):
    ((status, headers, body),) = run(make(), b"plain", content_encoding=b"gzip")
    assert (status, headers) == (400, JSON)
    assert b"Failed to uncompress the gzipped body" in body
    assert not api.calls


CORS = {
    b"access-control-allow-origin": b"*",
    b"access-control-allow-methods": b"POST, GET",
    b"access-control-allow-headers": b"Content-Type",
}


@pytest.mark.parametrize(("cors", "more"), [(False, {}), (True, CORS)])
def test_cors_headers_are_on_every_answer_or_on_none(make, cors, more):
    app = make(cors=cors, largest_body=4)
    assert [headers for _, headers, _ in run(app)] == [JSON | more]
    assert [headers for _, headers, _ in run(app, b"too large")] == [JSON | more]
    assert [headers for _, headers, _ in run(app, method="OPTIONS", origin=b"http://a")] == [JSON | more]


@pytest.mark.parametrize(
    ("headers", "status"), [({"origin": b"http://a.b"}, 200), ({"origin": b"https://a.b"}, 200), ({"origin": b"file://a"}, 400), ({}, 400)]
)
def test_a_preflight_needs_an_origin_with_or_without_cors(make, api, headers, status):
    assert run(make(), method="OPTIONS", **headers) == [(status, JSON, b"")]
    assert not api.calls


def test_the_query_is_no_part_of_the_path(make):
    ((status, headers, _),) = run(make(), method="GET", path="/metrics?name=a")
    assert (status, headers[b"content-type"]) == (200, b"text/plain; version=0.0.4; charset=utf-8")


def test_anything_but_http_is_not_served(make):
    with pytest.raises(NotImplementedError, match="websocket is not served"):
        asyncio.run(make()({"type": "websocket"}, None, None))
