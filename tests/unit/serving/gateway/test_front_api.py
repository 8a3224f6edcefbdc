"""What the page and applications ask beside TF Serving's API: models, images, health."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from serving.golden import GoldenRequest, dump
from serving.server.models import Models
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from serving.verdict import Reason, Verdict
from tests.fakes.photos import picture
from tests.unit.serving.gateway.asgi import Stage, of_images, play


def image_models(score: float = 0.75) -> Models:
    models = Models()
    models.load("leaves", 1, lambda: of_images(score))
    return models


@pytest.fixture
def store(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_text("ok")
    opened = LocalStore(tmp_path / "store")
    for number, metrics in enumerate(({"mae": 2.5}, {"mae": 2.25}), start=1):
        (model / "saved_model.pb").write_text(str(number))
        opened.publish("m", model, Identity(f"run{number}", "case", metrics=metrics))
    verdict = Verdict("metric", (Reason("too_low", "auc is below 0.7", measured=float("inf"), limit=0.7),))
    opened.refuse("m", verdict, "run3")
    return tmp_path / "store"


async def upload(stage: Stage, *files: tuple[str, bytes], path: str = "/predict/leaves/image", **more: Any):
    return await stage.client.post(path, files=[("file", (name, io.BytesIO(content))) for name, content in files], **more)


def test_the_list_of_models_and_one_of_them(store):
    async def story(stage: Stage) -> None:
        (found,) = (await stage.client.get("/models")).json()["models"]
        assert (found["model"], found["live"]) == ("m", 2)
        assert [(row["version"], row["state"], row["metrics"]) for row in found["versions"]] == [
            (2, "AVAILABLE", {"mae": 2.25}),
            (1, "AVAILABLE", {"mae": 2.5}),
        ]
        one = (await stage.client.get("/models/m")).json()
        assert one["form"]["fields"] == [{"name": "x", "kind": "number", "missing": "NaN", "shape": []}]

    play(story, {"store": str(store)})


@pytest.mark.parametrize(("allowed", "shown"), [(True, [{"x": 1.5}, {"x": "NaN"}]), (False, None), (None, None)])
def test_a_form_has_examples_where_they_may_be_seen(store, allowed, shown):
    golden = GoldenRequest("serving_default", {"x": np.array([1.5, np.nan], np.float32)}, {})
    (store / "m" / "2" / "assets.extra" / "golden.json").write_text(json.dumps(dump([golden])))

    async def story(stage: Stage) -> None:
        form = (await stage.client.get("/models/m")).json()["form"]
        assert form.get("examples") == shown

    play(story, {"store": str(store), "examples": allowed})


def test_history_tells_refusals_with_their_reasons(store):
    async def story(stage: Stage) -> None:
        events = (await stage.client.get("/models/m/history")).json()["events"]
        assert [event["kind"] for event in events] == ["refuse", "publish", "publish"]
        assert events[0]["details"]["reasons"][0]["message"] == "auc is below 0.7"

    play(story, {"store": str(store)})


@pytest.mark.parametrize(
    "path", ["/models/nope", "/models/nope/history", "/models/..%2F..", "/models/%00", "/models/%00/history", "/models/.hidden/history"]
)
def test_a_model_that_is_not_there_is_told(store, path):
    async def story(stage: Stage) -> None:
        answer = await stage.client.get(path)
        assert answer.status_code == 404, answer.text
        assert answer.json()["error"]

    play(story, {"store": str(store)})


def test_a_store_that_cannot_be_read_is_told_in_one_line(store, monkeypatch):
    async def story(stage: Stage) -> None:
        (store / "m" / "history.jsonl").unlink()
        (store / "m" / "history.jsonl").mkdir()
        answer = await stage.client.get("/models/m/history")
        assert answer.status_code == 500
        assert "history.jsonl: Is a directory" in answer.json()["error"]

    del monkeypatch
    play(story, {"store": str(store)})


def test_a_server_that_is_not_there_is_a_problem_of_the_model_and_not_of_the_list(store):
    async def story(stage: Stage) -> None:
        listed = (await stage.client.get("/models")).json()["models"]
        assert [(found["model"], found["live"]) for found in listed] == [("down", None), ("m", 2)]
        assert listed[0]["problem"] == "the model server other cannot be reached"
        answer = await stage.client.get("/models/down")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        ready = (await stage.client.get("/readyz")).json()
        assert ready == {"ready": True, "upstreams": {"default": "ok", "other": "cannot be reached"}}

    config = {"store": str(store), "upstreams": {"other": {"grpc": "127.0.0.1:1"}}, "models": {"down": {"upstream": "other"}}}
    play(story, config)


def test_it_is_not_ready_without_a_server_nor_while_it_ends():
    async def story(stage: Stage) -> None:
        stage.gateway.draining = True
        answer = await stage.client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "problem": "ending"})
        assert (await stage.client.get("/healthz")).text == "ok\n"

    play(story)

    async def alone(stage: Stage) -> None:
        answer = await stage.client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)

    play(alone, {"upstreams": {"default": {"grpc": "127.0.0.1:1"}}})


def test_images_are_asked_about():
    async def story(stage: Stage) -> None:
        one, two = picture(1), picture(2, "PNG")
        answer = await upload(stage, ("a.jpg", one), ("b.png", two))
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-model-version"] == "1"
        assert answer.json() == {
            "model": "leaves",
            "version": 1,
            "signature": "predict",
            "route": "newest",
            "predictions": [
                {"file": "a.jpg", "bytes": float(len(one)), "score": 0.75},
                {"file": "b.png", "bytes": float(len(two)), "score": 0.75},
            ],
        }

    play(story, models=image_models())


def test_an_answer_that_is_no_number_is_null():
    async def story(stage: Stage) -> None:
        answer = await upload(stage, ("a.jpg", picture(1)))
        assert answer.json()["predictions"][0]["score"] is None

    play(story, models=image_models(float("nan")))


BOUNDARY = {"content-type": "multipart/form-data; boundary=x"}


def part(head: str, body: str = "hello") -> bytes:
    return f"--x\r\n{head}\r\n\r\n{body}\r\n--x--\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("content", "headers", "field"),
    [
        (b"", {}, "content-type"),
        (b"{}", {"content-type": "application/json"}, "content-type"),
        (picture(1), {"content-type": "image/jpeg"}, "content-type"),
        (b"", {"content-type": "multipart/form-data"}, "file"),
        (b"", BOUNDARY, "file"),
        (b"--x--\r\n", BOUNDARY, "file"),
        (b"nonsense", BOUNDARY, "file"),
        (part('content-disposition: form-data; name="file"'), BOUNDARY, "file"),
        (part('content-disposition: form-data; name="other"; filename="a.jpg"'), BOUNDARY, "file"),
        (part('content-disposition: form-data; filename="a.jpg"'), BOUNDARY, "file"),
        (part("x: y"), BOUNDARY, "file"),
        (part('content-disposition: form-data; name="file"; filename="a.jpg"'), BOUNDARY, "file"),
        (part('content-disposition: form-data; name="file"; filename="a.jpg"', ""), BOUNDARY, "file"),
        (part(f'content-disposition: form-data; name="file"; filename="{"a" * 100_000}"'), BOUNDARY, "file"),
        (
            part('content-disposition: form-data; name="file"; filename="a\xff.jpg"'),
            BOUNDARY | {"content-type": BOUNDARY["content-type"] + "; charset=undefined"},
            "content-type",
        ),
        (b"\r\n".join(part('content-disposition: form-data; name="file"; filename="a"')[:-7] for _ in range(17)), BOUNDARY, "file"),
        (b"".join(part('content-disposition: form-data; name="other"')[:-7] + b"\r\n" for _ in range(17)), BOUNDARY, "file"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_upload_that_is_none_is_told(content, headers, field):
    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/predict/leaves/image", content=content, headers=headers)
        assert answer.status_code == 422, answer.text
        assert answer.json()["problems"][0]["field"] == field

    play(story, models=image_models())


def test_uploads_are_kept_in_memory(monkeypatch):
    def disk(*_: object, **__: object) -> None:
        raise AssertionError("a photo on the disk")

    async def story(stage: Stage) -> None:
        monkeypatch.setattr("tempfile.TemporaryFile", disk)
        answer = await upload(stage, ("a.jpg", picture(1) + bytes(3_000_000)))
        assert answer.status_code == 200, answer.text

    play(story, models=image_models())


def test_too_many_bytes_and_pixels_are_told():
    async def story(stage: Stage) -> None:
        for content, saying in ((picture(1) + bytes(200_000), "larger than 0.1 MiB"), (picture(1, size=(50, 50)), "50 x 50 pixels")):
            answer = await upload(stage, ("a.jpg", content))
            assert answer.status_code == 422
            assert saying in answer.json()["error"]
        assert (await upload(stage, ("a.jpg", bytes(600_000)))).status_code == 413

    play(story, {"limits": {"image_mib": 0.1, "image_pixels": 1000}}, models=image_models())


def test_a_model_or_a_signature_that_takes_no_image_is_told():
    async def story(stage: Stage) -> None:
        answer = await upload(stage, ("a.jpg", picture(1)), path="/predict/m/image")
        assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "model")
        answer = await upload(stage, ("a.jpg", picture(1)), path="/predict/m/image", params={"signature": "serving_default"})
        assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "signature")
        assert (await upload(stage, ("a.jpg", picture(1)), path="/predict/nope/image")).status_code == 404
        answer = await upload(stage, ("a.jpg", picture(1)), path="/predict/m/image", headers={"x-model-version": "new"})
        assert answer.status_code == 400

    play(story)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/models", 405), ("GET", "/predict/m/image", 405), ("OPTIONS", "/models", 405)],
)
def test_other_paths_are_told_in_json(method, path, status):
    async def story(stage: Stage) -> None:
        answer = await stage.client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])

    play(story)


def test_openapi_tells_of_every_path_and_holds_only_json():
    async def story(stage: Stage) -> None:
        document = (await stage.client.get("/openapi.json")).json()
        paths = document["paths"]
        assert {
            "/v1/models/{model}:predict",
            "/v1/models/{model}/labels/{label}:classify",
            "/models",
            "/predict/{model}/image",
        } <= paths.keys()
        names = [operation["operationId"] for path in paths.values() for operation in path.values()]
        assert len(set(names)) == len(names)
        for place, path in paths.items():
            for operation in path.values():
                told = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"}
                assert told == {piece.partition("}")[0] for piece in place.split("{")[1:]}
        assert json.dumps(document)

    play(story)


def test_page_and_documentation_may_be_off():
    async def story(stage: Stage) -> None:
        assert [(await stage.client.get(path)).status_code for path in ("/", "/docs", "/openapi.json", "/page/index.html")] == [404] * 4

    play(story, {"page": False, "docs": False})


def test_pages_of_named_origins_may_call():
    async def story(stage: Stage) -> None:
        def allowed(answer: Any) -> Mapping[str, str]:
            return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}

        asked = {"origin": "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
        answer = await stage.client.options("/v1/models/m:predict", headers=asked)
        assert answer.status_code == 200
        assert allowed(answer)["access-control-allow-origin"] == "https://app.example"
        assert "x-api-key" in allowed(answer)["access-control-allow-headers"]
        answer = await stage.predict(origin="https://app.example")
        assert allowed(answer)["access-control-allow-origin"] == "https://app.example"
        assert "x-model-version" in allowed(answer)["access-control-expose-headers"]
        assert "access-control-allow-origin" not in allowed(await stage.predict(origin="https://evil.example"))
        answer = await stage.client.options("/v1/models/m:predict", headers={**asked, "origin": "https://evil.example"})
        assert (answer.status_code, allowed(answer).get("access-control-allow-origin")) == (400, None)

    play(story, {"cors": ["https://app.example"]})
