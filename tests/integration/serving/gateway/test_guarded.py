"""Over real sockets: who is let in, how much is taken, and what stays in the log."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from serving.gateway.access import digest_of
from serving.launchers.readiness import wait_for
from tests.integration.serving.gateway.front import Front, gateway, upstream

KEY = rsa.generate_private_key(65537, 2048)
ROW = '{"instances": [1.0]}'
PATH = "/v1/models/half:predict"


def token(**changes: object) -> str:
    # Parameters are made long before their test runs, in a long suite.
    claims = {"iss": "https://id.example", "aud": "sluiceway", "exp": int(time.time()) + 86_400, "sub": "ada", **changes}
    return jwt.encode(claims, KEY, "RS256")


@pytest.fixture(scope="module")
def guarded(server, tmp_path_factory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("guarded")
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    keys = {"reports": digest_of("reports-key"), "slow": {"digest": digest_of("slow-key"), "per_minute": 3, "models": ["half"]}}
    (folder / "keys.yaml").write_text(yaml.safe_dump(keys))
    config = {
        **upstream(server.grpc_address),
        "keys": {"file": str(folder / "keys.yaml")},
        "jwt": {"issuer": "https://id.example", "audience": "sluiceway", "key_file": str(folder / "public.pem")},
        "limits": {"body_mib": 0.25, "image_mib": 0.25},
        "cors": ["https://app.example"],
    }
    with gateway(folder, config) as front:
        yield front


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x_api_key": "wrong"}, 401),
        ({"x_api_key": "reports-key"}, 200),
        ({"authorization": "Bearer reports-key"}, 200),
        ({"authorization": f"Bearer {token()}"}, 200),
        ({"authorization": f"Bearer {token(aud='else')}"}, 401),
        ({"authorization": f"Bearer {token(exp=5)}"}, 401),
        ({"authorization": "Bearer " + token()[:-4]}, 401),
    ],
    ids=lambda value: str(value)[:60],
)
def test_keys_and_tokens(guarded, headers, status):
    assert guarded.rest.ask("POST", PATH, ROW, **headers).status == status


def test_a_key_may_ask_so_often_and_only_its_models(guarded):
    asked = [guarded.rest.ask("POST", PATH, ROW, x_api_key="slow-key") for _ in range(5)]
    assert [answer.status for answer in asked] == [200, 200, 200, 429, 429]
    assert 1 <= int(asked[3].headers["retry-after"]) <= 20
    assert guarded.rest.ask("POST", PATH, ROW, x_api_key="reports-key").status == 200


def test_a_key_that_is_taken_back_opens_nothing_any_more(guarded):
    file = guarded.file.with_name("keys.yaml")
    before = file.read_text()
    file.write_text(before + f"left: {digest_of('left-key')}\n")

    def answers(status: int) -> bool | None:
        return guarded.rest.ask("POST", PATH, ROW, x_api_key="left-key").status == status or None

    wait_for(lambda: answers(200), guarded.process.poll, what="the key was known", deadline_seconds=20)
    file.write_text(before)
    wait_for(lambda: answers(401), guarded.process.poll, what="the key was forgotten", deadline_seconds=20)


def test_a_page_of_another_origin(guarded):
    asked = {"origin": "https://app.example", "access_control_request_method": "POST", "access_control_request_headers": "x-api-key"}
    answer = guarded.rest.ask("OPTIONS", PATH, None, **asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://app.example")
    refused = guarded.rest.ask("POST", PATH, ROW, origin="https://app.example")
    # A page must be able to read why it was refused.
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "https://app.example")
    assert guarded.rest.ask("OPTIONS", PATH, None, **{**asked, "origin": "https://evil.example"}).status == 400


def test_a_body_that_is_too_large_is_refused_and_the_caller_hears_it(guarded):
    large = b'{"instances": [' + b"1," * 10_000_000 + b"1]}"
    for body in (large, (large[start : start + 65536] for start in range(0, len(large), 65536))):
        answer = guarded.rest.ask("POST", PATH, body, x_api_key="reports-key")  # type: ignore[arg-type]
        assert (answer.status, answer.error) == (413, "the body is too large; at most 0.25 MiB")
    with guarded.http() as client:
        # The connection is as good as before.
        for _ in range(3):
            assert client.post(PATH, content=large[:500_000], headers={"x-api-key": "reports-key"}).status_code == 413
            assert client.post(PATH, content=ROW, headers={"x-api-key": "reports-key"}).status_code == 200


def test_a_head_that_is_too_large_is_refused(guarded):
    with socket.create_connection((guarded.rest.host, guarded.rest.port), timeout=20) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        try:
            for _ in range(100):
                sock.sendall(b"x: " + b"y" * 10_000 + b"\r\n")
            answer = sock.recv(100)
        except ConnectionError:
            answer = b""
    assert answer.startswith(b"HTTP/1.1 400") or answer == b""
    assert guarded.rest.get("/healthz").status == 200


@pytest.mark.parametrize(
    "head", [b"GET /\xff HTTP/1.1", b"GET /%ff HTTP/1.1", b"\x00\x00", b"GET http://[ HTTP/1.1", b"GET * HTTP/1.1", b"PRI * HTTP/2.0"]
)
def test_nonsense_on_the_wire_costs_nobody_else(guarded, head):
    with socket.create_connection((guarded.rest.host, guarded.rest.port), timeout=20) as sock:
        sock.sendall(head + b"\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert sock.recv(100)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404", b"")
    assert guarded.rest.get("/healthz").status == 200


def test_a_caller_that_hangs_up_is_no_fault(guarded):
    for part in (b"", b'{"inst'):
        with socket.create_connection((guarded.rest.host, guarded.rest.port), timeout=20) as sock:
            sock.sendall(f"POST {PATH} HTTP/1.1\r\nhost: x\r\nx-api-key: reports-key\r\ncontent-length: 20\r\n\r\n".encode() + part)
    wait_for(
        lambda: sum(line["status"] == 499 for line in guarded.lines()) == 2 or None,
        guarded.process.poll,
        what="both were logged",
        deadline_seconds=20,
    )
    assert "Traceback" not in guarded.log.read_text()


def test_the_log_holds_no_payload_and_no_key(guarded):
    asked = guarded.rest.ask(
        "POST", PATH + "?hush=hush", '{"instances": ["hush-hush"]}', x_api_key="reports-key", x_request_id="one-of-mine"
    )
    assert (asked.status, asked.headers["x-request-id"]) == (422, "one-of-mine")
    guarded.rest.ask("POST", PATH, "hush-hush", x_api_key="hush-key")
    wait_for(
        lambda: any(line["id"] == "one-of-mine" for line in guarded.lines()) or None,
        guarded.process.poll,
        what="it was logged",
        deadline_seconds=20,
    )
    text = guarded.log.read_text()
    for secret in ("hush", "reports-key", "slow-key", token().split(".")[0]):
        assert secret not in text
    line = next(line for line in guarded.lines() if line["id"] == "one-of-mine")
    assert (line["key"], line["status"], line["model"]) == ("reports", 422, "half")


def test_refusals_are_counted(guarded):
    before = guarded.metric("sluiceway_gateway_requests_total", status="401")
    guarded.rest.ask("POST", PATH, ROW)
    assert guarded.metric("sluiceway_gateway_requests_total", status="401") == before + 1


def test_a_second_gateway_on_the_same_port_is_told_in_one_line(guarded, tmp_path):
    file = tmp_path / "second.yaml"
    file.write_text(f"port: {guarded.rest.port}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "serving.gateway", "--config", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        f"sluiceway: {file}: port: 127.0.0.1:{guarded.rest.port} is taken; stop who has it, or give another"
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_asked_for_end_is_a_good_one(server, tmp_path, number):
    with gateway(tmp_path, upstream(server.grpc_address)) as front, front.http() as client:
        assert client.post(PATH, content=ROW).status_code == 200
        front.process.send_signal(number)
        assert front.process.wait(30) == 0
        assert front.log.read_text().splitlines()[-1] == "gateway stopped"
        json.dumps(front.lines())
