"""TLS files that gRPC would take and then fail with are told before they are put in force."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization

from configs.errors import ConfigError
from configs.gateway import Tls
from serving.gateway.pem import Pem
from tests.integration.serving.clients.certificates import make


@pytest.mark.parametrize(
    ("tls", "saying"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, "^upstreams.a.tls.ca_file: /nowhere/ca.pem cannot be read: No such file or directory"),
        ({"cert_file": "x"}, "cert_file and key_file belong together"),
        ({"ca_file": "{text}"}, "is not in PEM"),
    ],
)
def test_wrong_files_are_told(tmp_path, tls, saying):
    (tmp_path / "text").write_text("hello")
    given = {name: place.format(text=tmp_path / "text") for name, place in tls.items()}
    with pytest.raises(ConfigError, match=saying):
        Pem.read("a", Tls(**given))


def test_files_that_cannot_be_used_are_told(tmp_path):
    one, other = make(tmp_path, "one.example"), make(tmp_path, "other.example")
    (tmp_path / "garbage").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    for tls, saying in (
        ({"ca_file": tmp_path / "garbage"}, "^upstreams.a.tls.ca_file: .*garbage holds no certificate: "),
        ({"ca_file": one.key_file}, "ca_file: .* holds no certificate: "),
        ({"cert_file": one.cert_file, "key_file": other.key_file}, "^upstreams.a.tls: cert_file and key_file do not fit together: "),
        ({"cert_file": tmp_path / "garbage", "key_file": one.key_file}, "do not fit together: "),
    ):
        with pytest.raises(ConfigError, match=saying):
            Pem.read("a", Tls(**{name: str(place) for name, place in tls.items()}))


def test_a_key_with_a_password_is_told_and_nobody_is_asked_for_it(tmp_path):
    pair = make(tmp_path, "one.example")
    key = serialization.load_pem_private_key(pair.key_file.read_bytes(), None)
    pair.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"hush"))
    )
    with pytest.raises(ConfigError, match="do not fit together"):
        Pem.read("a", Tls(cert_file=str(pair.cert_file), key_file=str(pair.key_file)))


def test_a_key_is_not_shown(tmp_path):
    pair = make(tmp_path, "one.example")
    assert "key=" not in repr(Pem.read("a", Tls(cert_file=str(pair.cert_file), key_file=str(pair.key_file))))
