"""TLS files of an upstream: read, and looked at before they are put in force."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from configs.errors import ConfigError
from configs.gateway import Tls


@dataclass(frozen=True)
class Pem:
    """What TLS files hold."""

    ca: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    cert: bytes | None = None

    @classmethod
    def read(cls, name: str, tls: Tls | None) -> Pem:
        """Raises ConfigError: a file cannot be read or used; ``name``: whose it is."""
        if tls is None:
            return cls()
        if (tls.cert_file is None) != (tls.key_file is None):
            raise ConfigError(f"upstreams.{name}.tls: cert_file and key_file belong together")
        found = cls(*(_content(name, part, getattr(tls, part)) for part in ("ca_file", "key_file", "cert_file")))
        _check(name, tls)
        return found


def _content(name: str, part: str, place: str | None) -> bytes | None:
    if place is None:
        return None
    try:
        content = Path(place).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"upstreams.{name}.tls.{part}: {place} cannot be read: {error.strerror}") from error
    if b"-----BEGIN " not in content:
        raise ConfigError(f"upstreams.{name}.tls.{part}: {place} is not in PEM")
    return content


def _check(name: str, tls: Tls) -> None:
    """GRPC takes anything and fails with each call: a pair that is being renewed, one file after the other, must not come to that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca_file is not None:
        try:
            context.load_verify_locations(Path(tls.ca_file).expanduser())
        except OSError as error:
            raise ConfigError(f"upstreams.{name}.tls.ca_file: {tls.ca_file} holds no certificate: {_reason(error)}") from error
    if tls.cert_file is not None and tls.key_file is not None:
        try:
            # gRPC knows no passwords; without one given here, OpenSSL would ask at the terminal.
            context.load_cert_chain(Path(tls.cert_file).expanduser(), Path(tls.key_file).expanduser(), password="")
        except OSError as error:
            raise ConfigError(f"upstreams.{name}.tls: cert_file and key_file do not fit together: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
