"""What is said of TLS files that are not what they should be."""

from __future__ import annotations

import ssl

import pytest

from configs.errors import UsageError
from configs.gateway import Tls
from serving.clients.tls import client_context, pem_texts
from tests.integration.serving.clients.certificates import make


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    (folder / "junk.pem").write_text("junk")
    return make(folder, "a.example"), make(folder, "b.example")


def files(**names):
    return Tls(**{name: str(path) for name, path in names.items()})


def test_a_context_checks_the_server_and_is_no_older_than_tls_1_2(signed):
    own, _ = signed
    context = client_context(files(ca_file=own.cert_file, cert_file=own.cert_file, key_file=own.key_file))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert [dict(part[0] for part in ca["subject"])["commonName"] for ca in context.get_ca_certs()] == ["a.example"]


def test_grpc_gets_the_texts(signed):
    own, other = signed
    texts = pem_texts(files(ca_file=other.cert_file, cert_file=own.cert_file, key_file=own.key_file))
    assert texts == (other.cert_file.read_bytes(), own.key_file.read_bytes(), own.cert_file.read_bytes())


def test_without_authorities_grpc_gets_those_that_openssl_trusts(signed, monkeypatch):
    own, _ = signed
    monkeypatch.setenv("SSL_CERT_FILE", str(own.cert_file))
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    assert pem_texts(Tls()) == (own.cert_file.read_bytes(), None, None)
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "mine.pem")
    assert pem_texts(Tls()) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda own, _: {"cert_file": own.cert_file}, "tls.cert_file is given without tls.key_file"),
        (lambda own, _: {"key_file": own.key_file}, "tls.key_file is given without tls.cert_file"),
        (lambda own, _: {"ca_file": own.cert_file.parent / "gone"}, "tls.ca_file=.*gone cannot be read: No such file"),
        (lambda own, _: {"ca_file": own.cert_file.parent}, "tls.ca_file=.* cannot be read: Is a directory"),
        (lambda own, _: {"ca_file": own.cert_file.parent / "junk.pem"}, "tls.ca_file=.*junk.pem is not a PEM certificate"),
        (lambda own, other: {"cert_file": own.cert_file, "key_file": other.key_file}, "are not a PEM certificate and its own key"),
    ],
)
def test_the_file_that_is_wrong_is_named(signed, change, message):
    tls = files(**change(*signed))
    for read in (client_context, pem_texts):
        with pytest.raises(UsageError, match=message):
            read(tls)
