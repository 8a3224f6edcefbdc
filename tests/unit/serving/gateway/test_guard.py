"""Around every request: an id, who asks, how often and how much; afterwards a line that holds nothing of what was sent."""

from __future__ import annotations

import asyncio
import json

import pytest

from serving.gateway.access import Caller, digest_of
from serving.gateway.guard import Guard
from tests.unit.serving.gateway.asgi import Stage, log_of, play


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys.yaml"
    file.write_text(
        f"reports: {digest_of('reports-key')}\n"
        f"slow: {{digest: '{digest_of('slow-key')}', per_minute: 2}}\n"
        f"leaves: {{digest: '{digest_of('leaves-key')}', models: [leaves]}}\n"
    )
    return {"keys": {"file": str(file)}}


def lines(stage: Stage) -> list[dict[str, object]]:
    return [json.loads(line) for line in stage.lines]


def test_a_request_has_an_id_its_own_or_a_new_one():
    async def story(stage: Stage) -> None:
        assert (await stage.predict(x_request_id="abc.1_2-3")).headers["x-request-id"] == "abc.1_2-3"
        seen = {(await stage.predict(x_request_id=text)).headers["x-request-id"] for text in ("", "a b", "x" * 101, "a/b", '"')}
        assert len(seen) == 5
        assert all(len(name) == 16 for name in seen)
        assert lines(stage)[0]["id"] == "abc.1_2-3"

    play(story)


def test_a_line_tells_what_happened_and_nothing_of_what_was_sent(keys):
    async def story(stage: Stage) -> None:
        asked = {"x_api_key": "reports-key", "x_user_key": "ada@example.org"}
        await stage.predict('{"instances": [123.25]}', **asked)
        await stage.predict('{"instances": ["hush"]}', **asked)
        await stage.predict('{"instances": [{"hush": 1}]}', **asked)
        await stage.predict('{"hush', **asked)
        await stage.predict('{"signature_name": "hush", "instances": [1]}', **asked)
        await stage.client.post("/v1/models/m:predict?token=hush", content='{"instances": [1]}', headers={"x-api-key": "hush"})
        text = "\n".join(stage.lines)
        for secret in ("hush", "123.25", "246.5", "reports-key", "ada@example.org"):
            assert secret not in text
        first = lines(stage)[0]
        assert {name: first[name] for name in ("from", "key", "method", "path", "status", "model", "version", "route")} == {
            "from": "192.0.2.7",
            "key": "reports",
            "method": "POST",
            "path": "/v1/models/m:predict",
            "status": 200,
            "model": "m",
            "version": 2,
            "route": "newest",
        }
        assert [line["status"] for line in lines(stage)] == [200, 422, 422, 422, 422, 401]
        assert [line["key"] for line in lines(stage)[-2:]] == ["reports", None]

    play(story, keys)


@pytest.mark.parametrize(
    "path", ["/v1/models/m", "/models", "/models/m", "/nowhere", "/docs/", "/page", "/V1/models/m", "/v1/models/m/metadata"]
)
def test_nobody_is_let_in_without_a_key(keys, path):
    async def story(stage: Stage) -> None:
        answer = await stage.client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="sluiceway"')
        assert answer.json() == {"error": "not let in: no key; send it as x-api-key, or as a bearer token"}
        assert (await stage.client.get(path, headers={"x-api-key": "wrong"})).status_code == 401
        assert stage.metric("sluiceway_gateway_requests_total", model="", version="", route="", status="401") == 2

    play(story, keys)


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/openapi.json", "/docs"])
def test_some_pages_are_open(keys, path):
    async def story(stage: Stage) -> None:
        assert (await stage.client.get(path)).status_code == 200

    play(story, keys)


def test_a_key_may_be_for_some_models_only(keys):
    async def story(stage: Stage) -> None:
        for path in ("/v1/models/m:predict", "/predict/m/image"):
            answer = await stage.client.post(path, headers={"x-api-key": "leaves-key"})
            assert (answer.status_code, answer.json()) == (403, {"error": "the key leaves is not for the model m"})
        for path in ("/v1/models/m", "/v1/models/m/metadata", "/models/m", "/models/m/history"):
            assert (await stage.client.get(path, headers={"x-api-key": "leaves-key"})).status_code == 403
        assert (await stage.client.get("/models", headers={"x-api-key": "leaves-key"})).json()["models"] == []

    play(story, {**keys, "models": {"m": {}}})


def test_a_token_and_a_key_of_one_name_do_not_share_what_they_may_ask(keys, monkeypatch):
    async def story(stage: Stage) -> None:
        for _ in range(3):
            await stage.predict(x_api_key="slow-key")
        monkeypatch.setattr(stage.gateway.access, "caller", lambda _: Caller("slow", 1, is_token=True))
        assert [(await stage.predict()).status_code for _ in range(2)] == [200, 429]

    play(story, keys)


def test_a_key_may_ask_so_often(keys):
    async def story(stage: Stage) -> None:
        answers = [await stage.predict(x_api_key="slow-key") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "30"
        assert answers[2].json() == {"error": "slow may make 2 requests a minute; try again in 30 s"}
        assert (await stage.predict(x_api_key="reports-key")).status_code == 200

    play(story, keys)


def test_an_announced_body_that_is_too_large_is_not_read():
    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/v1/models/m:predict", content=b"x" * 200_000)
        assert (answer.status_code, answer.json()) == (413, {"error": "the body is too large; at most 0.125 MiB"})

    play(story, {"limits": {"body_mib": 0.125}})


def test_a_body_of_unknown_length_ends_where_it_is_too_large():
    taken: list[int] = []

    async def parts():
        for number in range(100):
            taken.append(number)
            yield b"x" * 20_000

    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/v1/models/m:predict", content=parts())
        assert answer.status_code == 413
        assert len(taken) < 10

    play(story, {"limits": {"body_mib": 0.125}})


def test_who_finds_no_room_is_counted_each_and_told_of_once(monkeypatch):
    monkeypatch.setattr("serving.gateway.guard._TOLD_SECONDS", 0.01)

    async def story(stage: Stage) -> None:
        await stage.predict()
        stage.lines.clear()
        async with stage.gateway.room("m").room():
            for path in ("m:predict", "m/versions/1:classify", "m/labels/a:regress"):
                answer = await stage.client.post(f"/v1/models/{path}", content="{}")
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (await stage.client.get("/v1/models/m")).status_code == 200
            assert (await stage.client.post("/v1/models/other:predict", content="{}")).status_code == 404
        while not any("turned_away" in line for line in stage.lines):
            await asyncio.sleep(0.001)
        told = [line for line in lines(stage) if "turned_away" in line]
        assert [(line["turned_away"], line["model"]) for line in told] == [(3, "m")]
        assert stage.metric("sluiceway_gateway_requests_total", model="m", version="", route="", status="503") == 3
        assert 503 not in [line.get("status") for line in lines(stage)]

    play(story, {"limits": {"concurrency": 1, "queue": 0}})


def test_what_one_is_told_who_finds_no_room_does_not_reach_the_next():
    async def story(stage: Stage) -> None:
        await stage.predict()
        async with stage.gateway.room("m").room():
            first = await stage.predict(origin="https://app.example")
            assert first.headers["access-control-allow-origin"] == "https://app.example"
            assert "access-control-allow-origin" not in (await stage.predict()).headers

    play(story, {"limits": {"concurrency": 1, "queue": 0}, "cors": ["https://app.example"]})


def test_a_fault_of_ours_costs_one_request(monkeypatch):
    async def story(stage: Stage) -> None:
        async def broken(*_: object) -> None:
            raise ZeroDivisionError("with a secret in it")

        monkeypatch.setattr(stage.gateway.calls, "answer", broken)
        monkeypatch.setattr(stage.gateway.catalogue, "models", broken)
        for answer in (await stage.predict(x_request_id="one"), await stage.client.get("/models")):
            assert (answer.status_code, answer.json()) == (500, {"error": "the gateway failed; its log says where"})
        assert "request one failed" in stage.lines
        monkeypatch.undo()
        assert (await stage.predict()).status_code == 200

    play(story)


def test_what_is_no_http_is_handed_on():
    seen: list[str] = []

    async def app(scope, receive, send):
        del receive, send
        seen.append(scope["type"])

    asyncio.run(Guard(app, None)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_a_caller_that_goes_away_is_no_fault():
    async def story(stage: Stage) -> None:
        async def gone():
            return {"type": "http.disconnect"}

        sent: list[dict[str, object]] = []

        async def send(message):
            sent.append(message)

        for path in ("/v1/models/m:predict", "/predict/m/image"):
            headers = [(b"content-type", b"multipart/form-data; boundary=x")]
            scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": headers, "query_string": b""}
            with log_of("uvicorn.error") as noise:
                await stage.client._transport.app(scope, gone, send)  # type: ignore[attr-defined]
            assert noise == []
        assert [line["status"] for line in lines(stage)] == [499, 499]

    play(story)


@pytest.mark.parametrize("is_draining", [True, False])
def test_who_is_under_way_when_the_end_has_come_is_told(monkeypatch, is_draining):
    async def story(stage: Stage) -> None:
        async def endless(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(stage.gateway.calls, "answer", endless)
        asked = asyncio.ensure_future(stage.predict(x_request_id="one"))
        while not stage.metric("sluiceway_gateway_in_flight", model="(other)"):
            await asyncio.sleep(0.001)
        stage.gateway.draining = is_draining
        asked.cancel()
        if not is_draining:
            with pytest.raises(asyncio.CancelledError):
                await asked
            return
        answer = await asked
        assert (answer.status_code, answer.json()) == (503, {"error": "the gateway is ending"})
        assert (answer.headers["retry-after"], answer.headers["x-request-id"]) == ("1", "one")
        assert (lines(stage)[-1]["status"], lines(stage)[-1]["problem"]) == (503, "the gateway is ending")

    play(story)


@pytest.mark.parametrize("path", ["/v1/models/m:predict", "/predict/m/image"])
def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch, path):
    monkeypatch.setattr("serving.gateway.guard._BODY_SECONDS", 0.05)

    async def trickle():
        yield b"--x"
        await asyncio.sleep(30)

    async def story(stage: Stage) -> None:
        headers = {"content-type": "multipart/form-data; boundary=x"} if path.endswith("image") else {}
        answer = await stage.client.post(path, content=trickle(), headers=headers)
        assert (answer.status_code, answer.json()) == (408, {"error": "the body did not arrive within 0.05 s"})
        assert lines(stage)[-1]["status"] == 408

    play(story)
