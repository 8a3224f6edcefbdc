"""What is wrong is told where it is: damaged photos, fields that are no files, bombs in JSON, a version store that went away."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serving.gateway import images
from serving.protocol.signature import PREDICT_METHOD
from serving.protocol.status import Code, StatusError
from serving.server.models import Models
from tests.fakes.photos import picture
from tests.fakes.servable import FLOAT, STRING, FakeServable, signature_def
from tests.unit.serving.gateway.asgi import Stage, log_of, play

WHOLE = (picture(1, size=(90, 90)), picture(2, "PNG", (90, 90)))
CUT = tuple(content[:-40] for content in WHOLE)
REFUSED = "{{function_node __inference_1}} jpeg::Uncompress failed.\n\t [[{{node DecodeJpeg}}]]"


def decoder() -> Models:
    """Refuses what Pillow refuses and what is wider than tall, in TensorFlow's words."""

    def graph(feeds: Mapping[str, Any]) -> dict[str, Any]:
        contents = np.asarray(feeds["image:0"], object).ravel()
        for content in contents:
            try:
                image = Image.open(io.BytesIO(content))
                image.load()
                refused = image.width > image.height
            except OSError:
                refused = True
            if refused:
                raise StatusError(Code.INVALID_ARGUMENT, REFUSED)
        return {"score:0": np.full(len(contents), 0.5, np.float32)}

    signature = signature_def({"image": STRING}, {"score": FLOAT})
    signature.method_name = PREDICT_METHOD
    signature.inputs["image"].tensor_shape.dim.add(size=-1)
    models = Models()
    models.load("leaves", 1, lambda: FakeServable({"predict": signature}, graph))
    return models


async def upload(stage: Stage, *contents: bytes) -> Any:
    return await stage.client.post("/predict/leaves/image", files=[("file", ("a.jpg", content)) for content in contents])


@pytest.mark.parametrize("kind", [0, 1], ids=["JPEG", "PNG"])
def test_a_damaged_photo_is_told_by_its_field(kind):
    async def story(stage: Stage) -> None:
        answer = await upload(stage, WHOLE[kind], CUT[kind], WHOLE[kind])
        assert answer.status_code == 422, answer.text
        assert answer.json()["problems"] == [{"field": "file[1]", "problem": "is damaged or cut off"}]
        assert (await upload(stage, CUT[kind])).json()["problems"][0]["field"] == "file"

    play(story, models=decoder())


def test_what_the_model_refuses_of_whole_photos_is_the_models_word():
    async def story(stage: Stage) -> None:
        answer = await upload(stage, picture(1, size=(90, 30)))
        assert (answer.status_code, answer.json()) == (400, {"error": "jpeg::Uncompress failed."})

    play(story, models=decoder())


def test_nothing_is_decoded_while_all_goes_well(monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError("decoded")

    async def story(stage: Stage) -> None:
        monkeypatch.setattr(images, "_is_whole", never)
        assert (await upload(stage, *WHOLE)).status_code == 200

    play(story, models=decoder())


def test_a_text_field_is_no_file():
    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/predict/leaves/image", files=[("file", (None, "leaf.jpg"))])
        problem = {"field": "file", "problem": "is a text field; send it as a file: curl -F file=@leaf.jpg"}
        assert (answer.status_code, answer.json()["problems"]) == (422, [problem])

    play(story, models=decoder())


def b64(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"instances": [{"image": b64(WHOLE[0][:9])}, {"image": b64(WHOLE[1])}]}, "instances[1].image"),
        ({"instances": [b64(WHOLE[0])]}, "instances[0]"),
        ({"instances": [{"image": [b64(WHOLE[0])]}]}, "instances[0].image"),
        ({"inputs": {"image": [b64(b"?"), b64(WHOLE[0])]}}, "inputs.image[1]"),
        ({"inputs": [b64(WHOLE[1])]}, "inputs[0]"),
        ({"inputs": b64(WHOLE[1])}, "inputs[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bomb_is_one_in_json_too(body, field):
    async def story(stage: Stage) -> None:
        answer = await stage.predict(json.dumps({"signature_name": "predict", **body}), "leaves")
        problem = {"field": field, "problem": "has 90 x 90 pixels, more than 8,099"}
        assert (answer.status_code, answer.json().get("problems")) == (422, [problem])

    play(story, {"limits": {"image_pixels": 8099}}, models=decoder())


def test_too_many_bytes_are_told_and_what_is_no_photo_is_the_models_affair():
    async def story(stage: Stage) -> None:
        for content, status in ((WHOLE[0] + bytes(20_000), 422), (bytes(20_000), 400), (b"\xff\xd8\xff" + bytes(99), 400)):
            body = {"signature_name": "predict", "instances": [{"image": b64(content)}]}
            assert (await stage.predict(json.dumps(body), "leaves")).status_code == status

    play(story, {"limits": {"image_mib": 0.01}}, models=decoder())


def test_what_does_not_fit_is_counted_by_the_models_name_from_the_first_request_on():
    async def story(stage: Stage) -> None:
        assert (await stage.predict('{"instances": ["?"]}')).status_code == 422
        assert (await stage.predict(model="nope")).status_code == 404
        counted = "sluiceway_gateway_requests_total"
        assert stage.metric(counted, model="m", version="", route="newest", status="422") == 1
        assert stage.metric(counted, model="(other)", version="", route="newest", status="404") == 1

    play(story)


def test_an_upload_that_does_not_fit_is_counted_by_the_models_name():
    async def story(stage: Stage) -> None:
        answer = await stage.client.post("/predict/m/image", files=[("file", ("a.jpg", WHOLE[0]))])
        assert answer.status_code == 422
        assert stage.metric("sluiceway_gateway_requests_total", model="m", version="", route="newest", status="422") == 1

    play(story)


def test_a_version_store_that_goes_is_told_once_and_so_is_its_return(tmp_path):
    store, aside = tmp_path / "store", tmp_path / "aside"
    store.mkdir()

    async def story(stage: Stage) -> None:
        async def listed() -> Any:
            return (await stage.client.get("/models")).json()

        assert await listed() == {"models": []}
        store.rename(aside)
        for _ in range(2):
            assert await listed() == {"models": [], "problem": f"there is no version store in {store}"}
        aside.rename(store)
        assert [await listed(), await listed()] == [{"models": []}] * 2

    with log_of("serving.gateway.catalogue") as lines:
        play(story, {"store": str(store)})
    gone, back = lines
    assert gone.startswith(f"there is no version store in {store} any more")
    assert back == f"the version store in {store} is there"
