"""Keys and certificates of the server's ports, checked before a port opens."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from configs.errors import UsageError
from serving.server.flag_table import Flags
from serving.server.schemas.ssl import SslSettings


def grpc_credentials(settings: SslSettings) -> grpc.ServerCredentials:
    """Credentials of the gRPC port and socket. Raises UsageError that names the field that is no key or certificate."""
    _check(settings)
    return grpc.ssl_server_credentials(
        [(settings.server_key.encode(), settings.server_cert.encode())],
        root_certificates=settings.custom_ca.encode() or None,
        require_client_auth=settings.client_verify,
    )


def alts_credentials() -> grpc.ServerCredentials:
    """Google's ALTS. On a machine that is not Google's, opening a port with them fails."""
    return grpc.alts_server_credentials()


def rest_context(flags: Flags) -> ssl.SSLContext | None:
    """TLS of the REST port, 1.2 or newer; None: no TLS. Raises UsageError that names the flag and the file."""
    if not flags.rest_ssl_cert_file:
        return None
    for name in ("rest_ssl_cert_file", "rest_ssl_key_file"):
        _check_readable(name, getattr(flags, name))
    context = _context()
    try:
        context.load_cert_chain(flags.rest_ssl_cert_file, flags.rest_ssl_key_file, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        files = f"--rest_ssl_cert_file={flags.rest_ssl_cert_file} and --rest_ssl_key_file={flags.rest_ssl_key_file}"
        raise UsageError(f"{files} are not a PEM certificate and its own key without a password: {_reason(error)}") from error
    if flags.rest_ssl_client_ca_file:
        _check_readable("rest_ssl_client_ca_file", flags.rest_ssl_client_ca_file)
        try:
            context.load_verify_locations(cafile=flags.rest_ssl_client_ca_file)
        except ssl.SSLError as error:
            raise UsageError(
                f"--rest_ssl_client_ca_file={flags.rest_ssl_client_ca_file} is not a PEM certificate: {_reason(error)}"
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _check(settings: SslSettings) -> None:
    """Left to itself, gRPC says only that the port cannot be opened, whichever of the three texts is wrong."""
    for name in ("server_key", "server_cert"):
        if not getattr(settings, name):
            raise UsageError(f"{settings.where}: {name} is missing: the PEM text goes into the file itself")
    for name in ("server_cert", "custom_ca"):
        text = getattr(settings, name)
        try:
            if text:
                _context().load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError) as error:
            raise UsageError(f"{settings.where}: {name} is not a PEM certificate: {_reason(error)}") from error
    if settings.client_verify and not settings.custom_ca:
        raise UsageError(f"{settings.where}: client_verify needs custom_ca: the authorities whose certificates clients show")
    if "PRIVATE KEY-----" not in settings.server_key:
        raise UsageError(f"{settings.where}: server_key is not a PEM private key")
    with _in_memory(settings.server_cert + "\n" + settings.server_key) as path:
        try:
            if path:
                _context().load_cert_chain(path, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            raise UsageError(f"{settings.where}: server_key is not the key of server_cert, without a password: {_reason(error)}") from error


@contextmanager
def _in_memory(text: str) -> Iterator[str | None]:
    """The path of a file that never is on a disk, which a key must not be; None where the system has no such files."""
    if not hasattr(os, "memfd_create"):
        yield None
        return
    with os.fdopen(os.memfd_create("tls"), "w") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _no_password() -> str:
    """Without this, OpenSSL would ask the terminal, and a server would wait there for ever."""
    raise ValueError("the key is protected by a password")


def _check_readable(name: str, path: str) -> None:
    try:
        with open(path, "rb"):  # noqa: PTH123  the flag is a plain text
            return
    except OSError as error:
        raise UsageError(f"--{name}={path} cannot be read: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else None) or str(error)
