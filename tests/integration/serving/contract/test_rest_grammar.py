"""Which URLs and methods there are, and what every answer looks like before its body is read."""

from __future__ import annotations

import gzip
import http.client
import socket

import pytest

BODY = '{"instances": [1.0, 2.0, 5.0]}'
TWO, THREE = "[2.5, 3.0, 4.5", "[3.5, 4.0, 5.5"


def predictions(numbers: str) -> str:
    return '{\n    "predictions": ' + numbers + "\n    ]\n}"


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("/v1/models/half:predict", THREE),
        ("/v1/models/half/versions/1:predict", TWO),
        ("/v1/models/half/versions/0001:predict", TWO),
        ("/v1/models/half/versions/2:predict", THREE),
        ("/v1/models/half/labels/stable:predict", TWO),
        ("/v1/models/half/labels/canary:predict", THREE),
        ("/v1/models/h%61lf/labels/st%61ble:predict", TWO),
        ("/v1/models/half:predict?trace=1", THREE),
        ("/V1/Models/half:predict", THREE),
        ("/v1/MODELS/half/VERSIONS/1:predict", TWO),
        ("/v1/models/half/LABELS/stable:predict", TWO),
    ],
)
def test_a_url_names_a_model_and_perhaps_its_version(rest, path, numbers):
    answer = rest.post(path, BODY)
    assert (answer.status, answer.text) == (200, predictions(numbers))
    assert answer.headers["content-type"] == "application/json"


MALFORMED = [
    ("POST", "/v1/models/half:PREDICT"),
    ("POST", "/v1/models/half:Predict"),
    ("POST", "/v1/models/half:explain"),
    ("POST", "/v1/models/half"),
    ("POST", "/v1/models/half/metadata"),
    ("POST", "/v1/models/half/versions/x:predict"),
    ("POST", "/v1/models/half/versions/1/labels/stable:predict"),
    ("POST", "/v1/models/a/b:predict"),
    ("POST", "/v1/models/:predict"),
    ("GET", "/v1/models/half:predict"),
    ("GET", "/v1/models/half/versions/-1"),
    ("GET", "/v1/models/half/metadata/"),
    ("GET", "/v1/"),
    ("GET", "/v1/nothing"),
    ("PUT", "/v1/models/half:predict"),
    ("DELETE", "/v1/models/half"),
    ("PATCH", "/v1/models/half"),
]


@pytest.mark.parametrize(("method", "path"), MALFORMED)
def test_what_is_no_call_is_malformed(rest, method, path):
    answer = rest.ask(method, path, BODY)
    assert answer.status == 400
    assert answer.error == f"Malformed request: {method} {path}"
    assert answer.headers["content-type"] == "application/json"


def test_there_is_no_list_of_all_models(rest):
    answer = rest.get("/v1/models")
    assert (answer.status, answer.error) == (400, "Missing model name in request.")


def test_an_upper_case_metadata_asks_for_the_status(rest):
    assert rest.get("/v1/models/half/METADATA").text.startswith('{\n "model_version_status": [')


def test_a_version_beyond_int64_is_refused(rest):
    answer = rest.post("/v1/models/half/versions/9223372036854775808:predict", BODY)
    assert answer.status == 400


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/half", "/predict"])
def test_outside_of_v1_there_is_nothing(rest, path):
    answer = rest.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models/nope:predict", 404, "Servable not found for request: Latest(nope)"),
        ("/v1/models/half/versions/7:predict", 404, "Servable not found for request: Specific(half, 7)"),
        ("/v1/models/half/labels/nope:predict", 400, "Unrecognized servable version label: nope"),
        ("/v1/models/nope/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
        ("/v1/models/nope:classify", 404, "Servable not found for request: Latest(nope)"),
        ("/v1/models/nope:regress", 404, "Servable not found for request: Latest(nope)"),
    ],
)
def test_a_model_that_is_not_there_is_named(rest, path, status, message):
    answer = rest.post(path, '{"instances": [1.0], "examples": [{"x": 1.0}]}')
    assert (answer.status, answer.error) == (status, message)
    assert answer.text == '{\n    "error": "' + message + '"\n}'


def test_a_missing_model_is_told_before_bad_instances_and_after_bad_json(rest):
    assert rest.predict("nope", '{"instances": 1}').status == 404
    assert rest.predict("nope", "{").status == 400
    assert rest.predict("nope", '{"signature_name": 1}').status == 400


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip, identity"])
def test_a_body_may_be_compressed(rest, encoding):
    answer = rest.ask("POST", "/v1/models/half:predict", gzip.compress(BODY.encode()), Content_Encoding=encoding, Accept_Encoding="gzip")
    assert (answer.status, answer.text) == (200, predictions(THREE))
    assert "content-encoding" not in answer.headers


def test_a_body_may_come_in_chunks(rest):
    answer = rest.ask("POST", "/v1/models/half:predict", iter([BODY[:5].encode(), BODY[5:].encode()]))
    assert (answer.status, answer.text) == (200, predictions(THREE))


def test_a_client_that_waits_to_send_its_body_is_told_to(server):
    """What curl does before a body of more than a megabyte."""
    host, port = server.rest_address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST /v1/models/half:predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_connection_serves_many_requests(rest):
    connection = http.client.HTTPConnection(rest.host, rest.port, timeout=20)
    statuses = []
    for body in (BODY, "{", BODY):
        connection.request("POST", "/v1/models/half:predict", body)
        answer = connection.getresponse()
        answer.read()
        statuses.append((answer.status, answer.will_close))
    connection.close()
    assert statuses == [(200, False), (400, False), (200, False)]


def test_the_type_of_a_body_does_not_matter(rest):
    answer = rest.ask("POST", "/v1/models/half:predict", BODY, Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.text) == (200, predictions(THREE))


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 400), ({"Origin": "here"}, 400), ({"Origin": "http://a.b"}, 200), ({"Origin": "https://a.b"}, 200)]
)
def test_a_preflight_needs_an_origin(rest, headers, status):
    answer = rest.ask("OPTIONS", "/v1/models/half:predict", **headers)
    assert (answer.status, answer.body) == (status, b"")
    assert "access-control-allow-origin" not in answer.headers


def test_without_the_flag_no_answer_has_cors_headers(rest):
    answer = rest.ask("POST", "/v1/models/half:predict", BODY, Origin="http://a.b")
    assert not [name for name in answer.headers if name.startswith("access-control")]
