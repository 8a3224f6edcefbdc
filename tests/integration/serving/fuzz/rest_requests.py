"""REST requests that are wrong, made from good ones, and the bytes they are on the wire."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.integration.serving.contract.zoo import DTYPES
from tests.integration.serving.fuzz import mutation

# A model and a body that it answers.
_PREDICTS: list[tuple[str, dict[str, Any]]] = [
    ("half", {"instances": [1.0, 2.0]}),
    ("half", {"instances": [{"x": [1.0]}, {"x": [2.0]}]}),
    ("half", {"signature_name": "serving_default", "inputs": {"x": [[1.0], [2.0]]}}),
    ("columns", {"inputs": {"x": [1.0, 2.0], "n": [1, 2]}}),
    ("columns", {"instances": [{"x": 1.0, "n": 1}, {"x": 2.0, "n": 2}]}),
    ("columns", {"signature_name": "strings", "instances": ["a", {"b64": "//79"}]}),
    ("columns", {"signature_name": "text", "inputs": "a"}),
    ("columns", {"signature_name": "matrix", "instances": [[1.0, 2.0], [3.0, 4.0]]}),
    ("columns", {"signature_name": "total", "inputs": [1.0, 2.0]}),
    ("columns", {"signature_name": "uneven", "inputs": [1.0, 2.0]}),
    ("columns", {"signature_name": "halves", "inputs": [1.0]}),
    ("columns", {"signature_name": "constant", "inputs": {}}),
    ("columns", {"signature_name": "column", "instances": [[1.0]]}),
    ("columns", {"signature_name": "product", "inputs": {"a": [[1.0, 2.0]], "b": [[1.0], [2.0]]}}),
    ("examples", {"signature_name": "x", "inputs": [{"b64": ""}, {"b64": "CgwKCgoBeBIFEgMKAQA="}]}),
    ("defaults", {"inputs": {"x": [1.0], "n": [2.0]}}),
    *(("echo", {"signature_name": name, "inputs": [True] if name == "bool" else ["a"] if name == "string" else [1]}) for name in DTYPES),
]
_EXAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    ("half", "regress", {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}, {"x": [2.0], "x2": [1.0]}]}),
    ("half", "classify", {"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}),
    ("examples", "classify", {"examples": [{"i": 1}, {"s": "a"}], "context": {"x": 1.5}}),
    ("examples", "classify", {"signature_name": "s", "examples": [{"s": {"b64": "//79"}}]}),
    ("examples", "regress", {"signature_name": "value", "examples": [{"i": [1]}]}),
    ("examples", "regress", {"signature_name": "x", "examples": [{"x": 0.5}, {}]}),
    *(("examples", "classify", {"signature_name": name, "examples": [{}]}) for name in ("mismatch", "three_outputs", "flat_scores")),
    *(("examples", "regress", {"signature_name": name, "examples": [{}]}) for name in ("wide_value", "too_few_values", "value_of_int")),
]
_GETS = ("", "/metadata", "/versions/1", "/versions/1/metadata", "/labels/x", "/labels/x/metadata")
_METHODS = ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "POST", "post", "PROPFIND", "BREW", "")
_ODD_PATHS = (
    *("/", "", "*", "/v1", "/v1/", "/v1/models", "/v1/models/", "/v2/models/half", "//v1/models/half:predict", "/v1/models/half:predict/"),
    *("/v1/models/half/versions/:predict", "/v1/models/half/versions/99999999999999999999:predict", "/v1/models/half/versions/-1"),
    *("/v1/models/half/versions/1/labels/x:predict", "/v1/models/half/labels/%ff%00:predict", "/v1/models/%68alf:predict"),
    *("/v1/models/nobody:predict", "/V1/MODELS/half:predict", "/v1/models/half:PREDICT", "/v1/models/half/METADATA", "/v1/models/%:x"),
    *("/v1/models/half:predict?a=b", "/v1/models/half#x:predict", "http://other/v1/models/half:predict", "/v1/models/" + "a" * 30_000),
    *("/v1/models/ half:predict", "/v1/models/half:predict\x7f", "/v1/models/h\xe9:predict", "/monitoring/prometheus/metrics", "/../etc"),
)


@dataclass(frozen=True)
class Request:
    """What goes over the wire; ``whole``: the framing is right, so an answer must come and the connection may live on."""

    content: bytes
    method: str
    whole: bool = True


def request(seed: int, number: int) -> Request:
    """The malformed request of this number."""
    random = Random(f"{seed} rest {number}")
    path, document = good(random)
    body = json.dumps(document, ensure_ascii=False).encode()
    method, headers = "POST", []
    what = random.randrange(12)
    if what <= 4:
        body = _spoilt_document(random, document)
    elif what <= 6:
        body = mutation.spoil_bytes(random, body)
    elif what == 7:
        body = _hostile(random)
    elif what == 8:
        path = _spoilt_path(random, path)
    elif what == 9:
        method, path = random.choice(_METHODS), random.choice((path, "/v1/models/half" + random.choice(_GETS), _spoilt_path(random, path)))
    elif what == 10:
        headers, body = _encoded(random, body)
    else:
        headers = [_odd_header(random) for _ in range(random.randint(1, 4))]
        body = _spoilt_document(random, document)
    return Request(_wire(random, method, path, headers, body), method)


def good(random: Random) -> tuple[str, dict[str, Any]]:
    """A path and a document that are answered as they are, or refused for what their model is."""
    if random.random() < 0.7:
        model, document = random.choice(_PREDICTS)
        return f"/v1/models/{model}:predict", document
    model, verb, document = random.choice(_EXAMPLES)
    return f"/v1/models/{model}:{verb}", document


def _spoilt_document(random: Random, document: Any) -> bytes:
    body = json.dumps(mutation.spoil_document(random, document), ensure_ascii=random.random() < 0.5)
    return body.encode("utf-8", "surrogateescape")


def _hostile(random: Random) -> bytes:
    depth = random.choice((30, 33, 100, 900, 1100, 20_000))
    inner = random.choice((b"", b"1", b"[1],[1,2]", b'{"b64":""}'))
    return random.choice(
        (
            b'{"instances": ' + b"[" * depth + inner + b"]" * depth + b"}",
            b'{"instances": ' + b'{"x":' * depth + b"1" + b"}" * depth + b"}",
            b'{"inputs": ' + b"[" * depth,
            b'{"signature_name": ' + b"9" * random.choice((300, 400, 5000)) + b"}",
            b'{"instances": [1.0], "instances": [2.0, {}]}',
            b'{"instances": ["' + rb"\ud800" + b'"]}',
            b'{"signature_name": "' + rb"\udfff" + b'", "instances": [1.0]}',
            b'{"instances": [{"' + rb"\ud800" + b'": 1}]}',
            b'{"examples": [{"\xff": 1}]}',
            b'{"examples": [{"x": 1e39}, {"x": NaN}], "context": {"\xed\xa0\x80": 1}}',
            random.randbytes(random.choice((1, 7, 200, 20_000))),
            json.dumps({"instances": [mutation.value(random)] * random.choice((1, 50))}, ensure_ascii=True).encode(),
            b"",
        )
    )


def _spoilt_path(random: Random, path: str) -> str:
    what = random.randrange(3)
    if what == 0:
        return random.choice(_ODD_PATHS)
    if what == 1:
        model, _, verb = path.partition(":")
        version = random.choice(("/versions/0", "/versions/7", "/versions/1.5", "/labels/stable", "/labels/", "/versions/" + "9" * 400))
        return f"{model}{version}:{random.choice((verb, verb.upper(), 'explain', ''))}"
    return mutation.spoil_bytes(random, path.encode(), 2).decode("latin-1").translate({ord(blank): "_" for blank in " \r\n\t"})


def _encoded(random: Random, body: bytes) -> tuple[list[bytes], bytes]:
    packed = gzip.compress(body, mtime=0)
    name = random.choice((b"gzip", b"gzip, br", b"x-gzip", b"deflate", b"br", b"identity", b"GZIP"))
    sent = random.choice(
        (packed, body, packed[:-5], packed[:10], packed + b"more", mutation.spoil_bytes(random, packed), gzip.compress(packed))
    )
    return [b"content-encoding: " + name], sent


def _odd_header(random: Random) -> bytes:
    return random.choice(
        (
            b"content-type: text/html",
            b"content-type: multipart/form-data; boundary=",
            b"accept-encoding: gzip",
            b"origin: http://x",
            b"host: other",
            b"expect: 100-continue",
            b"connection: keep-alive, upgrade\r\nupgrade: h2c",
            b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: x",
            b"x-" + bytes(random.choices(b"abcdefghijk", k=500)) + b": " + b"v" * 5000,
            b"x-empty:",
            b"cookie: \xff\xfe",
            b"range: bytes=0-1",
            b"te: trailers",
        )
    )


def _wire(random: Random, method: str, path: str, headers: list[bytes], body: bytes) -> bytes:
    head = b"%s %s HTTP/1.1\r\nhost: h\r\n" % (method.encode(), path.encode("latin-1", "replace"))
    head += b"".join(header + b"\r\n" for header in headers)
    if random.random() < 0.1:
        return head + b"transfer-encoding: chunked\r\n\r\n" + _chunks(random, body)
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def _chunks(random: Random, body: bytes) -> bytes:
    parts = []
    while body:
        size = random.choice((1, 5, 100, len(body)))
        parts.append(b"%x\r\n%s\r\n" % (len(body[:size]), body[:size]))
        body = body[size:]
    return b"".join(parts) + b"0\r\n\r\n"


def broken(seed: int, number: int) -> Request:
    """Bytes that are no whole HTTP request; the client sends them, sends no more, and looks what comes."""
    random = Random(f"{seed} http {number}")
    whole = request(seed, random.randrange(10**9)).content
    head, _, body = whole.partition(b"\r\n\r\n")
    content = random.choice(
        (
            random.randbytes(random.choice((1, 20, 300))),
            whole[: random.randrange(len(whole))],
            mutation.spoil_bytes(random, head) + b"\r\n\r\n" + body,
            head.replace(b"HTTP/1.1", random.choice((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"", b"HTTP/1.1 x"))) + b"\r\n\r\n" + body,
            head.replace(b"\r\n", b"\n") + b"\n\n" + body,
            head + b"\r\ncontent-length: " + random.choice((b"-1", b"x", b"99999999999999999999", b"5, 6", b"")) + b"\r\n\r\n" + body,
            head + b"\r\ntransfer-encoding: chunked\r\n\r\n" + random.choice((b"zz\r\n", b"ffffffffffffffffff\r\n", b"5\r\nab", b"-1\r\n")),
            head + b"\r\n" + b"x: y\r\n" * 2000 + b"\r\n" + body,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random.randbytes(30),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(200),
            b"\r\n" * 50 + whole,
            b"\0" * 100,
        )
    )
    return Request(content, "", whole=False)
