"""SSLConfig files: key, certificate and authorities of the gRPC port, PEM inside the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from serving.server.schemas import texts

MESSAGE = "tensorflow.serving.SSLConfig"


@dataclass(frozen=True)
class SslSettings:
    """PEM texts. ``client_verify``: a client must show a certificate of ``custom_ca``. ``where`` names the file in errors."""

    server_key: str = field(repr=False)  # a key must not end up in a log
    server_cert: str = field(repr=False)
    custom_ca: str = field(default="", repr=False)
    client_verify: bool = False
    where: str = ""


def from_file(path: str) -> SslSettings:
    """The settings in a file. Raises StatusError."""
    return read(texts.read_file(path), path)


def read(text: str, where: str) -> SslSettings:
    """The settings in a text. Raises StatusError (INVALID_ARGUMENT)."""
    message = texts.parse(text, MESSAGE, where, secret=True)
    return SslSettings(message.server_key, message.server_cert, message.custom_ca, message.client_verify, where)
