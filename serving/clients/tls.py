"""The files of a TLS connection, checked before it is made: OpenSSL and gRPC say little about what is wrong with them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from configs.errors import UsageError
from configs.gateway import Tls

_GRPC_ROOTS = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"


def client_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer that checks the server's certificate and name. Raises UsageError that names the file."""
    if bool(tls.cert_file) != bool(tls.key_file):
        given, missing = ("cert_file", "key_file") if tls.cert_file else ("key_file", "cert_file")
        raise UsageError(f"tls.{given} is given without tls.{missing}: a certificate and its key go together")
    for name in ("ca_file", "cert_file", "key_file"):
        _read(name, getattr(tls, name))
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except ssl.SSLError as error:
        raise UsageError(f"tls.ca_file={tls.ca_file} is not a PEM certificate: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert_file:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            files = f"tls.cert_file={tls.cert_file} and tls.key_file={tls.key_file}"
            raise UsageError(f"{files} are not a PEM certificate and its own key without a password: {_reason(error)}") from error
    return context


def pem_texts(tls: Tls) -> tuple[bytes | None, bytes | None, bytes | None]:
    """(authorities, key, certificate chain) as gRPC takes them; no authorities: gRPC's own list. Raises UsageError."""
    client_context(tls)
    authorities = _read("ca_file", tls.ca_file) if tls.ca_file else _system_authorities()
    return authorities, _read("key_file", tls.key_file), _read("cert_file", tls.cert_file)


def _system_authorities() -> bytes | None:
    """Those that Python and OpenSSL trust, where they are one file. Who set gRPC's own variable meant that."""
    found = ssl.get_default_verify_paths().cafile
    return None if _GRPC_ROOTS in os.environ or not found else Path(found).read_bytes()


def _read(name: str, path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"tls.{name}={path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _no_password() -> str:
    """Without this, OpenSSL would ask the terminal, and the caller would wait there for ever."""
    raise ValueError("the key is protected by a password")


def _reason(error: Exception) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else None) or str(error)
