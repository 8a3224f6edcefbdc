"""Keys and certificates: real ones, and what is said of others."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from configs.errors import UsageError
from serving.server import tls
from serving.server.flag_table import Flags
from serving.server.schemas.ssl import SslSettings


@dataclass(frozen=True)
class Pair:
    key: str
    certificate: str


def make(encrypted: bool = False) -> Pair:
    """A key and a certificate for localhost that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(1), now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    lock = serialization.BestAvailableEncryption(b"secret") if encrypted else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    return Pair(pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode())


@pytest.fixture(scope="module")
def server() -> Pair:
    return make()


@pytest.fixture(scope="module")
def client() -> Pair:
    return make()


@pytest.fixture(scope="module")
def locked() -> Pair:
    return make(encrypted=True)


def settings(server: Pair, **changes: object) -> SslSettings:
    return replace(SslSettings(server.key, server.certificate, where="tls.config"), **changes)


def answers(credentials: grpc.ServerCredentials, channel: grpc.ChannelCredentials) -> bool:
    """Whether a client with these credentials reaches a server with those."""
    with ThreadPoolExecutor(1) as pool:
        running = grpc.server(pool)
        port = running.add_secure_port("localhost:0", credentials)
        running.start()
        try:
            with grpc.secure_channel(f"localhost:{port}", channel) as opened:
                grpc.channel_ready_future(opened).result(timeout=0.4)
                return True
        except grpc.FutureTimeoutError:
            return False
        finally:
            running.stop(None).wait()


def test_a_grpc_client_that_trusts_the_certificate_gets_in(server):
    assert answers(tls.grpc_credentials(settings(server)), grpc.ssl_channel_credentials(server.certificate.encode()))


def test_with_client_verify_only_a_client_with_a_certificate_gets_in(server, client):
    credentials = tls.grpc_credentials(settings(server, custom_ca=client.certificate, client_verify=True))
    trusted = server.certificate.encode()
    assert answers(credentials, grpc.ssl_channel_credentials(trusted, client.key.encode(), client.certificate.encode()))
    assert not answers(credentials, grpc.ssl_channel_credentials(trusted))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server_key": ""}, "tls.config: server_key is missing"),
        ({"server_cert": ""}, "tls.config: server_cert is missing"),
        ({"server_cert": "none"}, "tls.config: server_cert is not a PEM certificate"),
        ({"custom_ca": "none"}, "tls.config: custom_ca is not a PEM certificate"),
        ({"client_verify": True}, "tls.config: client_verify needs custom_ca"),
        ({"server_key": "none"}, "tls.config: server_key is not a PEM private key"),
    ],
)
def test_the_field_that_is_wrong_is_named(server, changes, message):
    with pytest.raises(UsageError, match=message):
        tls.grpc_credentials(settings(server, **changes))


def test_the_key_of_another_certificate_is_refused_without_showing_it(server, client):
    with pytest.raises(UsageError, match="server_key is not the key of server_cert") as caught:
        tls.grpc_credentials(settings(server, server_key=client.key))
    assert client.key.splitlines()[1] not in str(caught.value)
    assert client.key.splitlines()[1] not in repr(settings(client))


def test_a_locked_key_is_refused_instead_of_asking_the_terminal(locked):
    with pytest.raises(UsageError, match=r"server_key is not the key of server_cert, without a password: .*password"):
        tls.grpc_credentials(settings(locked))


def flags(folder: Path, server: Pair, authority: Pair | None = None) -> Flags:
    (folder / "cert").write_text(server.certificate)
    (folder / "key").write_text(server.key)
    (folder / "ca").write_text(authority.certificate if authority else "")
    return Flags(
        rest_ssl_cert_file=str(folder / "cert"),
        rest_ssl_key_file=str(folder / "key"),
        rest_ssl_client_ca_file=str(folder / "ca") if authority else "",
    )


def shake_hands(context: ssl.SSLContext, trusted: ssl.SSLContext) -> str | None:
    """The protocol that server and client agree on."""
    here, there = socket.socketpair()
    with here, there:
        there.settimeout(5)

        def serve() -> None:
            with context.wrap_socket(here, server_side=True) as server:
                server.sendall(b"x")

        serving = threading.Thread(target=serve)
        serving.start()
        with trusted.wrap_socket(there, server_hostname="localhost") as client:
            assert client.recv(1) == b"x"
            serving.join(5)
            return client.version()


def test_rest_speaks_tls_1_2_and_newer(tmp_path, server):
    context = tls.rest_context(flags(tmp_path, server))
    trusted = ssl.create_default_context(cadata=server.certificate)
    assert shake_hands(context, trusted) == "TLSv1.3"
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE


def test_rest_asks_clients_for_a_certificate_when_it_has_authorities(tmp_path, server, client):
    assert tls.rest_context(flags(tmp_path, server, client)).verify_mode == ssl.CERT_REQUIRED


def test_without_a_certificate_rest_has_no_tls():
    assert tls.rest_context(Flags()) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cert", None, "--rest_ssl_cert_file=.*cert cannot be read: No such file"),
        ("key", None, "--rest_ssl_key_file=.*key cannot be read: No such file"),
        ("ca", None, "--rest_ssl_client_ca_file=.*ca cannot be read: No such file"),
        ("cert", "none", "are not a PEM certificate and its own key"),
        ("key", "none", "are not a PEM certificate and its own key"),
        ("ca", "none", "--rest_ssl_client_ca_file=.*ca is not a PEM certificate"),
    ],
)
def test_the_rest_file_that_is_wrong_is_named(tmp_path, server, client, name, content, message):
    given = flags(tmp_path, server, client)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=message):
        tls.rest_context(given)


def test_a_locked_rest_key_is_refused_instead_of_asking_the_terminal(tmp_path, locked):
    with pytest.raises(UsageError, match="without a password"):
        tls.rest_context(flags(tmp_path, locked))
