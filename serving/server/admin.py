"""Who may change a running server: callers on this machine, and those with the token."""

from __future__ import annotations

import hmac
import logging
import os
import stat
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote

from configs.errors import UsageError
from serving.protocol.status import Code, StatusError

log = logging.getLogger(__name__)

_SCHEME = "bearer"
_WAY_OUT = (
    "call from the machine of the server, or with the metadata 'authorization: Bearer <token>' of --admin_token_env or --admin_token_file"
)


def refusal(peer: str, metadata: Iterable[tuple[str, str | bytes]], token: str | None, *, strict: bool = False) -> StatusError | None:
    """Why a call that changes the server is refused; None when it may go on.

    ``peer`` is gRPC's spelling (``ipv4:127.0.0.1:50000``, ``ipv6:%5B::1%5D:50000``, ``unix:...``); ``metadata`` are the call's pairs. A
    token that was sent is always looked at: a wrong one is UNAUTHENTICATED, also from this machine. Without one a remote caller gets
    PERMISSION_DENIED. With ``strict`` everyone may, as upstream.
    """
    if strict:
        return None
    sent = [value for key, value in metadata if key.lower() == "authorization"]
    if sent and token is not None:
        # Not any of several: a proxy that adds its own must not be able to lend it to others.
        if len(sent) == 1 and _matches(sent[0], token):
            return None
        return StatusError(Code.UNAUTHENTICATED, "the admin token is wrong: send 'authorization: Bearer <token>' with the server's own")
    if is_local(peer):
        return None
    if token is None:
        return StatusError(
            Code.PERMISSION_DENIED,
            "admin calls are taken from this machine only: start the server with --admin_token_env or --admin_token_file to allow others",
        )
    return StatusError(Code.PERMISSION_DENIED, f"this call changes the server: {_WAY_OUT}")


def _matches(value: str | bytes, token: str) -> bool:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    scheme, _, given = text.strip().partition(" ")
    return scheme.lower() == _SCHEME and hmac.compare_digest(given.strip().encode(), token.encode())


def is_local(peer: str) -> bool:
    """Whether a gRPC peer is on this machine; False for whatever cannot be read."""
    kind, _, address = peer.partition(":")
    if kind in ("unix", "unix-abstract"):
        return True
    if kind not in ("ipv4", "ipv6"):
        return False
    host = unquote(address).rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        parsed = ip_address(host)
    except ValueError:
        return False
    # A server that listens on both families sees callers of the older one in the newer one's clothes.
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def read_token(variable: str, path: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The token, from the environment variable of that name or from a file; None when neither is named.

    Raises UsageError when both are, or when there is no token where it should be: a server must not start more open than it was told to.
    """
    if variable and path is not None:
        raise UsageError("--admin_token_env and --admin_token_file are both set: keep one")
    if variable:
        return _checked(environment.get(variable, ""), f"--admin_token_env={variable}: the variable")
    return None if path is None else _checked(_content(path), f"--admin_token_file={path}: the file")


def _content(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            log.warning("%s can be read by other users of this machine: chmod 600 it", path)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--admin_token_file={path}: {getattr(error, 'strerror', None) or error}") from error


def _checked(token: str, where: str) -> str:
    if not token.strip():
        raise UsageError(f"{where} is not set or empty")
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise UsageError(f"{where} holds a token that no caller could send: gRPC's metadata takes printable ASCII only")
    return token
