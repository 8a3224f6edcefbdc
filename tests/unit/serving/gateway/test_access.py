"""Who is let in: keys by their digests, tokens by the provider's public keys, nobody by anything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from configs.errors import ConfigError
from configs.gateway import GatewayConfig, Jwt, Keys
from serving.gateway.access import ANYBODY, Access, Caller, Denied, digest_of, new_key

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(key: Any, name: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}


def claims(**changes: Any) -> dict[str, Any]:
    whole = {"iss": "https://id.example", "aud": "sluiceway", "exp": int(time.time()) + 600, "sub": "ada", **changes}
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Any = RSA, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers)


def forged(header: dict[str, Any], body: dict[str, Any], secret: bytes) -> str:
    """A token signed as HS256, made by hand: the library refuses to."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body)]
    signature = base64.urlsafe_b64encode(hmac.new(secret, b".".join(parts), hashlib.sha256).digest()).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def access(tmp_path: Path, public: str = pem(RSA), keys: Keys | None = None, **changes: Any) -> Access:
    file = tmp_path / "public"
    file.write_text(public)
    rules = Jwt(issuer="https://id.example", audience="sluiceway", key_file=str(file), **changes)
    return Access(GatewayConfig(jwt=rules, keys=keys))


def with_keys(tmp_path: Path, text: str, per_minute: int | None = None) -> Access:
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    return Access(GatewayConfig(keys=Keys(file=str(file), per_minute=per_minute)))


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def test_where_nothing_is_asked_everybody_is_let_in():
    found = Access(GatewayConfig())
    assert found.is_open
    assert found.caller({}) is ANYBODY
    assert found.caller(bearer("anything")) is ANYBODY


def test_a_key_is_known_by_its_digest(tmp_path):
    key, digest = new_key()
    found = with_keys(tmp_path, f"reports: {digest}\npage: {{digest: '{digest_of('other')}', per_minute: 3, models: [leaves]}}\n", 60)
    assert found.caller({"x-api-key": key}) == Caller("reports", 60)
    assert found.caller(bearer(key)) == Caller("reports", 60)
    limited = found.caller({"x-api-key": "other"})
    assert limited == Caller("page", 3, frozenset({"leaves"}))
    assert (limited.may_ask("leaves"), limited.may_ask("taxi")) == (True, False)


def test_keys_may_come_by_an_environment_variable(monkeypatch):
    monkeypatch.setenv("GATEWAY_KEYS", f"reports: {digest_of('secret')}")
    assert Access(GatewayConfig(keys=Keys(env="GATEWAY_KEYS"))).caller({"x-api-key": "secret"}).name == "reports"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
        {"authorization": "Basic c2VjcmV0"},
        {"authorization": "secret"},
        bearer(""),
        bearer("a.b.c"),
    ],
    ids=str,
)
def test_nobody_else_is_let_in(tmp_path, headers):
    found = with_keys(tmp_path, f"reports: {digest_of('secret')}")
    with pytest.raises(Denied) as caught:
        found.caller(headers)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# reports: left us\n"])
def test_a_file_without_a_key_lets_nobody_in(tmp_path, text):
    with pytest.raises(Denied, match="not known"):
        with_keys(tmp_path, text).caller({"x-api-key": "secret"})


def test_a_digest_itself_is_no_key(tmp_path):
    digest = digest_of("secret")
    with pytest.raises(Denied):
        with_keys(tmp_path, f"reports: {digest}").caller({"x-api-key": digest})


def test_digests_may_be_written_in_capitals(tmp_path):
    digest = "sha256:" + digest_of("secret").removeprefix("sha256:").upper()
    assert with_keys(tmp_path, f"reports: {digest}").caller({"x-api-key": "secret"}).name == "reports"


GOOD = digest_of("secret")


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ("reports: secret", "reports: not a digest; make one: sluiceway gateway-key reports"),
        (f"reports: {GOOD[:-1]}", "not a digest"),
        (f"reports: {GOOD[:-1]}x", "not a digest"),
        ("reports: 5", "not a digest"),
        (f"reports: {{digest: '{GOOD}', per_minute: 0}}", "reports.per_minute: 0 is not a whole number"),
        (f"reports: {{digest: '{GOOD}', per_minute: true}}", "reports.per_minute: True is not a whole number"),
        (f"reports: {{digest: '{GOOD}', models: leaves}}", "reports.models: expected a list of names"),
        (f"reports: {{digest: '{GOOD}', model: [leaves]}}", "reports.model: unknown; allowed: digest, models, per_minute"),
        (f"a: {GOOD}\nb: {GOOD}", "b: has the same digest as a"),
        (f"a: {GOOD}\na: {digest_of('b')}", "is not YAML with names that differ"),
        ("[1]", "expected names and digests, found list"),
        ("''", "expected names and digests, found str"),
        ("{", "is not YAML"),
    ],
)
def test_a_wrong_file_of_keys_is_told_without_what_stands_in_it(tmp_path, text, saying):
    with pytest.raises(ConfigError) as caught:
        with_keys(tmp_path, text)
    assert saying in str(caught.value)
    assert "secret" not in str(caught.value).replace("gateway-key", "")


@pytest.mark.parametrize(
    ("keys", "saying"),
    [
        (Keys(), "give one of file and env"),
        (Keys(file="a", env="b"), "give one of file and env"),
        (Keys(file="/nowhere/keys.yaml"), "/nowhere/keys.yaml cannot be read: No such file"),
        (Keys(env="NOT_SET_HERE"), "NOT_SET_HERE is not set"),
    ],
)
def test_keys_that_are_not_there_are_told(keys, saying):
    with pytest.raises(ConfigError, match=saying):
        Access(GatewayConfig(keys=keys))


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")], ids=["RS256", "ES256"])
def test_a_token_is_let_in(tmp_path, key, algorithm):
    assert access(tmp_path, pem(key)).caller(bearer(token(key, algorithm))) == Caller("ada", 600, is_token=True)


def test_how_often_tokens_may_ask_is_configured(tmp_path):
    assert access(tmp_path, per_minute=5).caller(bearer(token())).per_minute == 5
    assert access(tmp_path, per_minute=None).caller(bearer(token())).per_minute is None


def test_a_token_of_one_of_several_keys_is_let_in(tmp_path):
    keys = json.dumps({"keys": [jwk(RSA, "one"), jwk(EC, "two")]})
    found = access(tmp_path, keys)
    assert found.caller(bearer(token(RSA, "RS256", {"kid": "one"}))).name == "ada"
    assert found.caller(bearer(token(EC, "ES256", {"kid": "two"}, aud=["else", "sluiceway"]))).name == "ada"
    for headers in ({"kid": "three"}, {"kid": "two"}, None):
        with pytest.raises(Denied):
            found.caller(bearer(token(RSA, "RS256", headers)))


def test_other_algorithms_are_let_in_where_they_are_named(tmp_path):
    assert access(tmp_path, algorithms=["PS256", "RS512"]).caller(bearer(token(RSA, "RS512"))).name == "ada"
    assert access(tmp_path, pem(ED), algorithms=["EdDSA"]).caller(bearer(token(ED, "EdDSA"))).name == "ada"


# Parameters are made long before their test runs, in a long suite.
LONG_AGO, FAR_AWAY = int(time.time()) - 86_400, int(time.time()) + 86_400


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", "third"]},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": LONG_AGO},
        {"exp": None},
        {"nbf": FAR_AWAY},
        {"sub": 5},
        {"key": OTHER_RSA},
        {"algorithm": "RS512"},
        {"key": EC, "algorithm": "ES256"},
        {"headers": {"crit": ["b64"], "b64": False}},
    ],
    ids=str,
)
def test_a_token_that_is_not_good_is_denied(tmp_path, wrong):
    with pytest.raises(Denied):
        access(tmp_path).caller(bearer(token(**wrong)))


@pytest.mark.parametrize("public", [pem(RSA), pem(EC)], ids=["RSA", "EC"])
@pytest.mark.parametrize("algorithm", ["HS256", "none", "NONE", "None", "RS256", "ES256", "EdDSA", "XX"])
@pytest.mark.parametrize("secret", ["the public key", ""])
def test_a_token_is_not_signed_with_what_everybody_knows(tmp_path, public, algorithm, secret):
    given = forged({"alg": algorithm, "typ": "JWT"}, claims(), public.encode() if secret else b"")
    for text in (given, given.rpartition(".")[0] + "."):
        with pytest.raises(Denied):
            access(tmp_path, public).caller(bearer(text))


def test_an_ec_token_where_the_key_is_rsa_is_denied_and_the_other_way_round(tmp_path):
    for public, key, algorithm in ((pem(RSA), EC, "ES256"), (pem(EC), RSA, "RS256")):
        with pytest.raises(Denied):
            access(tmp_path, public).caller(bearer(token(key, algorithm)))


def test_a_secret_in_a_key_set_is_no_public_key(tmp_path):
    secret = {"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).decode(), "kid": "one", "alg": "HS256"}
    with pytest.raises(ConfigError, match="holds a secret or private key"):
        access(tmp_path, json.dumps({"keys": [secret]}))


def test_a_private_key_in_a_key_set_is_told(tmp_path):
    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA)) | {"kid": "one"}
    with pytest.raises(ConfigError, match="holds a secret or private key"):
        access(tmp_path, json.dumps({"keys": [private]}))


@pytest.mark.parametrize("text", ["a", "a.b", "a.b.c", "..", "é.é.é", "a" * 9000, "eyJhbGciOiJSUzI1NiJ9.e30.", "\udcff.\udcff.\udcff"])
def test_nonsense_is_denied(tmp_path, text):
    with pytest.raises(Denied):
        access(tmp_path).caller(bearer(text))


def test_keys_and_tokens_stand_beside_each_other(tmp_path):
    file = tmp_path / "keys.yaml"
    file.write_text(f"reports: {GOOD}")
    found = access(tmp_path, keys=Keys(file=str(file)))
    assert found.caller({"x-api-key": "secret"}).name == "reports"
    assert found.caller(bearer(token())).name == "ada"


@pytest.mark.parametrize(
    ("public", "changes", "saying"),
    [
        (pem(RSA), {"algorithms": ["HS256"]}, "HS256 has no public key"),
        (pem(RSA), {"algorithms": ["RS256", "none"]}, "none has no public key"),
        (pem(RSA), {"algorithms": ["RS257"]}, "no algorithm 'RS257'"),
        (pem(RSA), {"algorithms": []}, "give at least one"),
        ("hello", {}, "is no public key in PEM and no key set"),
        (pem(RSA)[:100], {}, "is no public key in PEM and no key set"),
        ("{}", {}, "is no key set"),
        ('{"keys": []}', {}, "is no key set"),
        ("{", {}, "is no key set"),
        (pem(ED), {}, "no algorithm of jwt.algorithms"),
        (
            RSA.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
            {},
            "holds a private key",
        ),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_public_key_is_told_at_the_start(tmp_path, public, changes, saying):
    with pytest.raises(ConfigError) as caught:
        access(tmp_path, public, **changes)
    assert saying in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_a_public_key_that_is_not_there_is_told():
    rules = Jwt(issuer="i", audience="a")
    with pytest.raises(ConfigError, match="key_file is missing"):
        Access(GatewayConfig(jwt=rules))
    with pytest.raises(ConfigError, match="/nowhere cannot be read"):
        Access(GatewayConfig(jwt=Jwt(issuer="i", audience="a", key_file="/nowhere")))
