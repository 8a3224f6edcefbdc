"""Who asks: an API key or a bearer token, held against what is kept of keys (their digests) and the identity provider's public keys."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs import strict_yaml
from configs.errors import ConfigError
from configs.gateway import GatewayConfig, Jwt, Keys

_PREFIX = "sha256:"
_DIGEST = re.compile(_PREFIX + "[0-9a-f]{64}")
_KEY_BYTES = 32


@dataclass(frozen=True)
class Caller:
    """Who asks. ``models``: those that may be asked; None: all. ``per_minute``: None: any number of requests.

    A token and a key of one name are two callers.
    """

    name: str
    per_minute: int | None = None
    models: frozenset[str] | None = None
    is_token: bool = False

    def may_ask(self, model: str) -> bool:
        """Whether this model is one of theirs."""
        return self.models is None or model in self.models


ANYBODY = Caller("anybody")
NOBODY = Caller("")
"""Whoever was not let in."""


class Denied(Exception):
    """Nobody we know."""


def new_key() -> tuple[str, str]:
    """A key to hand out, and what is kept of it."""
    key = f"sw_{secrets.token_urlsafe(_KEY_BYTES)}"
    return key, digest_of(key)


def digest_of(key: str) -> str:
    """What is kept of a key. Keys are long and random, so a fast digest will do: nobody can try them all."""
    return _PREFIX + hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


class Access:
    """Lets in. Reads its files when it is made."""

    def __init__(self, config: GatewayConfig) -> None:
        """Raises ConfigError: a file or a variable is missing, or is not what it should be."""
        self._keys = _read_keys(config.keys) if config.keys is not None else {}
        self._jwt = config.jwt
        self._public = _read_public_keys(config.jwt) if config.jwt is not None else {}
        self.is_open = config.keys is None and config.jwt is None

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who a request is from.

        Args:
            headers: by lower-case name.

        Raises:
            Denied: it brings nothing, or nothing that is known.
        """
        if self.is_open:
            return ANYBODY
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
        if not key:
            raise Denied("no key; send it as x-api-key, or as a bearer token")
        if (found := self._keys.get(digest_of(key))) is not None:
            return found
        if self._jwt is not None and key.count(".") == 2:
            return self._bearer(key, self._jwt)
        raise Denied("the key is not known")

    def _bearer(self, token: str, rules: Jwt) -> Caller:
        import jwt

        try:
            wanted = jwt.get_unverified_header(token).get("kid")
            public = self._public.get(wanted) or (next(iter(self._public.values())) if len(self._public) == 1 else None)
            if public is None:
                raise Denied("the token is signed with a key that is not known")
            claims = jwt.decode(
                token,
                public.key,
                algorithms=public.algorithms,
                audience=rules.audience,
                issuer=rules.issuer,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Denied(f"the token is not good: {error}") from error
        return Caller(str(claims.get("sub") or "token"), rules.per_minute, is_token=True)


def _read_keys(keys: Keys) -> dict[str, Caller]:
    if (keys.file is None) == (keys.env is None):
        raise ConfigError("keys: give one of file and env")
    if keys.file is not None:
        place = keys.file
        try:
            text = Path(keys.file).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"keys.file: {keys.file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    else:
        place, found = f"the environment variable {keys.env}", os.environ.get(keys.env or "")
        if found is None:
            raise ConfigError(f"keys.env: {place} is not set")
        text = found
    try:
        document = strict_yaml.parse(text)
    except yaml.YAMLError:
        # Its text may be a key: only the place is told, and nothing of it stays in the error's cause.
        raise ConfigError(f"keys: {place} is not YAML with names that differ") from None
    if document is None:
        # Nothing but comments: the last key was taken out, and nobody is let in.
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(f"keys: {place}: expected names and digests, found {type(document).__name__}")
    callers: dict[str, Caller] = {}
    for name, entry in document.items():
        digest, caller = _caller(place, str(name), entry, keys.per_minute)
        if digest in callers:
            raise ConfigError(f"keys: {place}: {name}: has the same digest as {callers[digest].name}")
        callers[digest] = caller
    return callers


def _caller(place: str, name: str, entry: Any, per_minute: int | None) -> tuple[str, Caller]:
    given = entry if isinstance(entry, dict) else {"digest": entry}
    unknown = sorted(set(map(str, given)) - {"digest", "per_minute", "models"})
    if unknown:
        raise ConfigError(f"keys: {place}: {name}.{unknown[0]}: unknown; allowed: digest, models, per_minute")
    digest, limit, models = given.get("digest"), given.get("per_minute", per_minute), given.get("models")
    digest = digest.lower() if isinstance(digest, str) else ""
    if not _DIGEST.fullmatch(digest):
        raise ConfigError(f"keys: {place}: {name}: not a digest; make one: sluiceway gateway-key {name}")
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ConfigError(f"keys: {place}: {name}.per_minute: {limit!r} is not a whole number of at least 1")
    if models is not None and not (isinstance(models, list) and all(isinstance(model, str) for model in models)):
        raise ConfigError(f"keys: {place}: {name}.models: expected a list of names")
    return digest, Caller(name, limit, None if models is None else frozenset(models))


@dataclass(frozen=True)
class _Public:
    """A public key, and the algorithms that are taken with it: a token that names another one is not even looked at."""

    key: Any
    algorithms: list[str]


def _read_public_keys(rules: Jwt) -> dict[str | None, _Public]:
    _check_algorithms(rules.algorithms)
    if rules.key_file is None:
        raise ConfigError("jwt.key_file is missing: the issuer's public key (PEM) or key set (JWKS)")
    try:
        text = Path(rules.key_file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"jwt.key_file: {rules.key_file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    place = f"jwt.key_file: {rules.key_file}"
    keys = _key_set(text, place) if text.lstrip().startswith("{") else {None: _pem_key(text, place)}
    found = {name: _Public(key, _fitting(key, rules.algorithms)) for name, key in keys.items()}
    if not any(public.algorithms for public in found.values()):
        raise ConfigError(f"{place}: no algorithm of jwt.algorithms ({', '.join(rules.algorithms)}) goes with it")
    return {name: public for name, public in found.items() if public.algorithms}


def _check_algorithms(names: Sequence[str]) -> None:
    from jwt.algorithms import get_default_algorithms

    if not names:
        raise ConfigError("jwt.algorithms: give at least one, such as RS256")
    for name in names:
        if name.upper() == "NONE" or name.upper().startswith("HS"):
            raise ConfigError(f"jwt.algorithms: {name} has no public key; allowed: RS256, PS256, ES256, EdDSA and their kin")
        if name not in get_default_algorithms():
            raise ConfigError(f"jwt.algorithms: there is no algorithm {name!r}; allowed: RS256, PS256, ES256, EdDSA and their kin")


def _pem_key(text: str, place: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in text:
        raise ConfigError(f"{place} holds a private key; give the public one")
    try:
        return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{place} is no public key in PEM and no key set") from None


def _key_set(text: str, place: str) -> dict[str | None, Any]:
    import jwt

    try:
        document = json.loads(text)
        entries = [entry for entry in document["keys"] if isinstance(entry, dict)]
        if any({"k", "d"} & entry.keys() for entry in entries):
            raise ConfigError(f"{place} holds a secret or private key; give the public ones")
        return {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(document).keys}
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{place} is no key set: {error}") from error


def _fitting(key: Any, algorithms: Sequence[str]) -> list[str]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    families = (
        (rsa.RSAPublicKey, ("RS", "PS")),
        (ec.EllipticCurvePublicKey, ("ES",)),
        ((ed25519.Ed25519PublicKey, ed448.Ed448PublicKey), ("EdDSA",)),
    )
    return [name for name in algorithms if any(isinstance(key, kinds) and name.startswith(family) for kinds, family in families)]
