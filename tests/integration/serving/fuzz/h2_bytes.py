"""What a rude client writes to an HTTP/2 port: frames that are wrong, calls that lie about their messages, and noise."""

from __future__ import annotations

from random import Random
from struct import pack

from tests.integration.serving.fuzz import mutation, rest_requests

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _PRIORITY, _RST, _SETTINGS, _PUSH, _PING, _GOAWAY, _WINDOW, _CONTINUATION = range(10)
_END_STREAM, _END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame as RFC 9113 has it."""
    return pack(">I", len(payload))[1:] + pack(">BBI", kind, flags, stream) + payload


def headers(*pairs: tuple[bytes, bytes]) -> bytes:
    """A header block of literals: no table, no Huffman code."""
    return b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in pairs)


def _good_head(random: Random) -> list[tuple[bytes, bytes]]:
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", random.choice((b"/tensorflow.serving.PredictionService/Predict", b"/grpc.health.v1.Health/Watch", b"/x"))),
        (b":authority", b"h"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    ]


def _spoilt_head(random: Random) -> list[tuple[bytes, bytes]]:
    pairs = _good_head(random)
    more = (
        [(b"grpc-timeout", value) for value in (b"1n", b"-1S", b"99999999999H", b"x")]
        + [(b"grpc-encoding", value) for value in (b"gzip", b"snappy", b"\xff")]
        + [
            (b"content-length", b"-1"),
            (b"transfer-encoding", b"chunked"),
            (b":status", b"200"),
            (b"Upper", b"x"),
            (b"bin-bin", b"***"),
            (b"", b""),
        ]
    )
    for _ in range(random.randint(1, 2)):
        if random.random() < 0.5:
            pairs.insert(random.randrange(len(pairs) + 1), random.choice(more))
        else:
            at = random.randrange(len(pairs))
            pairs[at] = (pairs[at][0], random.choice((b"", b"GET", b"*", b"text/html", random.randbytes(9))))
    return pairs


def _message(random: Random) -> bytes:
    content = random.randbytes(random.choice((0, 5, 200)))
    length = random.choice((len(content), len(content) + 1, 0, 2**31, 2**32 - 1))
    return pack(">BI", random.choice((0, 0, 0, 1, 255)), length) + content


def connection(seed: int, number: int) -> bytes:
    """All that the rude client of this number writes."""
    random = Random(f"{seed} h2 {number}")
    what = random.randrange(8)
    if what == 0:
        return random.randbytes(random.choice((1, 24, 500)))
    if what == 1:
        return rest_requests.request(seed, number).content
    parts = [_PREFACE, frame(_SETTINGS, 0, 0, b"")]
    if what == 2:
        parts += [
            frame(
                random.randrange(12),
                random.randrange(256),
                random.choice((0, 1, 2, 2**31 - 1)),
                random.randbytes(random.choice((0, 4, 8, 9, 100))),
            )
            for _ in range(5)
        ]
    elif what == 3:
        parts[1] = frame(
            _SETTINGS, 0, 0, b"".join(pack(">HI", random.randrange(8), random.choice((0, 1, 2**14, 2**31, 2**32 - 1))) for _ in range(4))
        )
        parts.append(frame(_WINDOW, 0, random.choice((0, 1)), pack(">I", random.choice((0, 2**31 - 1)))) * 3)
    elif what == 4:
        parts.append(frame(_PING, 0, 0, b"12345678") * 100 + frame(_SETTINGS, 0, 0, b"") * 50)
    for stream in (1, 3, 5):
        pairs = _spoilt_head(random) if random.random() < 0.7 else _good_head(random)
        block = headers(*pairs) if random.random() < 0.8 else mutation.spoil_bytes(random, headers(*pairs))
        parts.append(frame(_HEADERS, random.choice((_END_HEADERS, _END_HEADERS, 0, 0x2C)), stream, block))
        parts.append(frame(_DATA, random.choice((0, _END_STREAM, _END_STREAM, 8)), stream, _message(random)))
        if random.random() < 0.3:
            parts.append(
                frame(
                    random.choice((_RST, _CONTINUATION, _GOAWAY, _PUSH, _PRIORITY)), 0, stream, random.randbytes(random.choice((4, 5, 8)))
                )
            )
    content = b"".join(parts)
    return mutation.spoil_bytes(random, content) if what == 7 else content
