"""TF Serving's REST API by its own grammar: paths, versions, labels, gzip, and no more work than there is room for."""

from __future__ import annotations

import asyncio
import gzip
import json

import msgspec
import pytest

from configs.gateway import Breaker
from tests.fakes.servable import INT64
from tests.unit.serving.gateway.asgi import Stage, play, times

ROW = '{"instances": [1.0]}'


def rows(answer) -> object:
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


@pytest.mark.parametrize(
    ("path", "headers", "version"),
    [
        ("/v1/models/m:predict", {}, "2"),
        ("/V1/Models/m:predict", {}, "2"),
        ("/v1/models/%6D:predict", {}, "2"),
        ("/v1/models/m/versions/1:predict", {}, "1"),
        ("/v1/models/m:predict", {"x-model-version": "1"}, "1"),
    ],
)
def test_every_answer_names_the_version_that_gave_it(path, headers, version):
    async def story(stage: Stage) -> None:
        answer = await stage.client.post(path, content=ROW, headers=headers)
        assert rows(answer) == [float(version) + 1]
        assert answer.headers["x-model-version"] == version
        assert answer.headers["content-type"] == "application/json"

    play(story)


@pytest.mark.parametrize(
    ("method", "path", "status", "saying"),
    [
        ("POST", "/v1/models/m/versions/9:predict", 404, "Specific(m, 9)"),
        ("POST", "/v1/models/nope:predict", 404, "nope"),
        ("POST", f"/v1/models/m/versions/{'9' * 25}:predict", 400, "Failed to convert version"),
        ("POST", f"/v1/models/m/versions/{'9' * 5000}:predict", 400, "Failed to convert version"),
        ("POST", "/v1/models/m/versions/x:predict", 400, "Malformed request"),
        ("POST", "/v1/models/m:PREDICT", 400, "Malformed request"),
        ("GET", "/v1/models/m:predict", 400, "Malformed request"),
        ("PUT", "/v1/models/m", 400, "Malformed request"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/", 400, "Malformed request"),
        ("POST", "/v1/models/m/labels/nope:predict", 400, "nope"),
        ("GET", "/v1/models/m/versions/9", 404, "9"),
        ("GET", "/v1/models/nope/metadata", 404, "nope"),
        ("GET", "/%761/models/m", 404, "Not Found"),
        ("POST", "/%761/models/m:predict", 404, "Not Found"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_there_is_told(method, path, status, saying):
    async def story(stage: Stage) -> None:
        answer = await stage.client.request(method, path, content=ROW if method == "POST" else None)
        assert answer.status_code == status, answer.text
        assert saying in answer.json()["error"]

    play(story)


def test_the_version_is_asked_for_once():
    async def story(stage: Stage) -> None:
        for answer in (
            await stage.predict(x_model_version="1", x_model_label="stable"),
            await stage.client.post("/v1/models/m/versions/1:predict", content=ROW, headers={"x-model-version": "1"}),
        ):
            assert answer.status_code == 400
            assert "give one" in answer.json()["error"]

    play(story)


def test_status_and_metadata():
    async def story(stage: Stage) -> None:
        status = await stage.client.get("/v1/models/m")
        assert [row["version"] for row in status.json()["model_version_status"]] == ["2", "1"]
        assert len((await stage.client.get("/v1/models/m/versions/1")).json()["model_version_status"]) == 1
        # A label is not looked at.
        assert (await stage.client.get("/v1/models/m/labels/anything")).json() == status.json()
        metadata = await stage.client.get("/v1/models/m/versions/1/metadata")
        assert metadata.json()["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
        assert metadata.headers["x-model-version"] == "1"

    play(story)


def test_a_body_may_be_gzipped_and_may_not_be_a_bomb():
    async def story(stage: Stage) -> None:
        async def ask(body: bytes) -> tuple[int, str]:
            answer = await stage.client.post("/v1/models/m:predict", content=body, headers={"content-encoding": "gzip"})
            return answer.status_code, answer.text

        assert (await ask(gzip.compress(ROW.encode())))[0] == 200
        bomb = gzip.compress(b" " * 50_000_000)
        assert len(bomb) < 100_000
        assert await ask(bomb) == (413, '{"error":"the body is too large; at most 0.1 MiB"}')
        for body in (b"", b"x", ROW.encode(), gzip.compress(ROW.encode())[:-4]):
            status, text = await ask(body)
            assert (status, json.loads(text)["problems"][0]["field"]) == (422, "content-encoding")

    play(story, {"limits": {"body_mib": 0.1}})


@pytest.mark.parametrize(("encoding", "status"), [("br", 422), ("gzip, br", 422), ("identity", 200), ("", 200)])
def test_no_other_encoding_is_taken(encoding, status):
    async def story(stage: Stage) -> None:
        answer = await stage.predict(content_encoding=encoding)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["problems"] == [{"field": "content-encoding", "problem": f"{encoding!r}: only gzip is taken"}]

    play(story)


def test_who_is_turned_away_is_not_read_and_told_when_to_come_again():
    reads: list[bytes] = []

    async def parts():
        reads.append(b"")
        yield ROW.encode()

    async def story(stage: Stage) -> None:
        async with stage.gateway.room("m").room():
            answer = await stage.client.post("/v1/models/m:predict", content=parts())
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json() == {"error": "more requests than can be answered; try again in 1 s"}
            assert (await stage.client.post("/predict/m/image", content=parts())).status_code == 503
            assert (await stage.client.get("/v1/models/m")).status_code == 200
            assert reads == []
        assert rows(await stage.predict()) == [3.0]

    play(story, {"limits": {"concurrency": 1, "queue": 0}})


def test_a_model_may_have_room_of_its_own():
    async def story(stage: Stage) -> None:
        async with stage.gateway.room("m").room():
            assert (await stage.predict()).status_code == 503
            assert (await stage.predict(model="other")).status_code == 404

    play(story, {"limits": {"queue": 0}, "models": {"m": {"concurrency": 1}}})


def test_only_listed_models_are_asked_where_that_is_said():
    async def story(stage: Stage) -> None:
        assert (await stage.predict()).status_code == 200
        answer = await stage.predict(model="other")
        assert (answer.status_code, answer.json()["error"]) == (404, "there is no model other here; which there are: GET /models")

    play(story, {"only_listed": True, "models": {"m": {}}})


def test_arms_share_out_and_a_user_stays():
    async def story(stage: Stage) -> None:
        versions: dict[str, set[str]] = {}
        for number in range(40):
            answer = await stage.predict(x_user_key=f"user-{number % 20}")
            versions.setdefault(f"user-{number % 20}", set()).add(answer.headers["x-model-version"])
        assert all(len(found) == 1 for found in versions.values())
        assert {version for found in versions.values() for version in found} == {"1", "2"}
        assert (await stage.predict(x_model_version="1", x_user_key="user-1")).headers["x-model-version"] == "1"
        seen = {(await stage.predict()).headers["x-model-version"] for _ in range(40)}
        assert seen == {"1", "2"}
        assert stage.metric("sluiceway_gateway_requests_total", model="m", version="1", route="header", status="200") == 1

    play(story, {"models": {"m": {"arms": [{"version": 1}, {"version": 2}]}}})


def test_names_that_nobody_has_do_not_push_those_out_that_somebody_has():
    async def story(stage: Stage) -> None:
        for number in range(300):
            await stage.predict(model=f"nonsense{number}")
        await stage.predict()
        await stage.predict()
        assert stage.metric("sluiceway_gateway_requests_total", model="(other)", version="", route="newest", status="404") == 300
        assert stage.metric("sluiceway_gateway_requests_total", model="m", version="2", route="newest", status="200") == 2
        assert stage.metric("sluiceway_gateway_in_flight", model="m") == 0

    play(story)


def test_a_signature_that_changed_under_the_same_name_is_read_again():
    async def story(stage: Stage) -> None:
        assert rows(await stage.predict()) == [3.0]
        stage.models.load("m", 3, lambda: times(5, INT64))
        # What was remembered says numbers, and would send them; the server's refusal says that it is worth another look.
        assert rows(await stage.predict('{"instances": [1]}')) == [5.0]
        assert (await stage.predict(ROW)).status_code == 422

    play(story)


def test_a_request_that_fits_the_new_signature_only_is_looked_at_again(monkeypatch):
    async def story(stage: Stage) -> None:
        stage.models.load("m", 3, lambda: times(5, INT64))
        assert (await stage.predict(ROW)).status_code == 422
        stage.models.load("m", 4, lambda: times(7))
        monkeypatch.setattr("serving.gateway.calls._LOOK_AGAIN_SECONDS", 0.0)
        assert rows(await stage.predict(ROW)) == [7.0]

    play(story)


def test_many_at_once_are_all_answered():
    async def story(stage: Stage) -> None:
        answers = await asyncio.gather(*(stage.predict(f'{{"instances": [{number}]}}') for number in range(60)))
        assert [rows(answer) for answer in answers] == [[3.0 * number] for number in range(60)]
        assert (stage.gateway.room("m").under_way, stage.gateway.room("m").waiting) == (0, 0)

    play(story, {"limits": {"concurrency": 2, "queue": 100, "queue_seconds": 30}})


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_examples_that_do_not_fit_are_told(verb):
    async def story(stage: Stage) -> None:
        answer = await stage.client.post(f"/v1/models/m:{verb}", content='{"examples": [{"x": 1}]}')
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["field"] == "signature_name"

    play(story)


def test_a_text_that_is_not_unicode_is_told_in_unicode():
    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/v1/models/m:predict", content=b'{"instances": [{"\xff": 1}]}')
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["field"].startswith("instances[0].")

    play(story)


@pytest.mark.parametrize("path", ["/v1/models/m:predict", "/predict/m/image"])
def test_no_more_bodies_are_read_at_once_than_twice_the_room(path):
    begun: list[int] = []
    go = asyncio.Event()

    async def parts():
        begun.append(1)
        await go.wait()
        yield ROW.encode()

    async def story(stage: Stage) -> None:
        headers = {"content-type": "multipart/form-data; boundary=x"}
        slow = [asyncio.ensure_future(stage.client.post(path, content=parts(), headers=headers)) for _ in range(4)]
        while len(begun) < 4:
            await asyncio.sleep(0.001)
        answer = await stage.client.post(path, content=ROW, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        go.set()
        await asyncio.gather(*slow)
        assert stage.gateway.room("m").present == 0
        assert rows(await stage.predict()) == [3.0]

    play(story, {"limits": {"concurrency": 1, "queue": 1}})


def test_who_sends_slowly_is_answered_by_the_server_that_is_configured_then():
    async def story(stage: Stage) -> None:
        async def parts():
            before = stage.gateway.upstreams["default"]
            stage.gateway.put_in_force(msgspec.structs.replace(stage.gateway.config, breaker=Breaker(failures=9)))
            assert stage.gateway.upstreams["default"] is not before
            await before.close()
            yield ROW.encode()

        assert rows(await stage.client.post("/v1/models/m:predict", content=parts())) == [3.0]

    play(story)
