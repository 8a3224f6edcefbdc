"""Carries the requests of KFP's generated client, and tells each failure in one line.

The generated transport waits for ever, retries silently, and fails on an error without a body; this one stands in its place
(`ApiClient.rest_client`), so that everything else of the official client is used as it is.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partialmethod
from typing import Any
from urllib.parse import urlsplit

import httpx

from configs.errors import UsageError
from pipeline.kubeflow.errors import NotKubeflow, RequestRefused, ServerUnavailable
from serving.clients.base import is_loopback

TIMEOUT_SECONDS = 30.0
_LOGIN = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 429})
_MOST_CHARACTERS = 300


@dataclass
class Answer:
    """What the generated client reads of a response; it replaces ``data`` by its text."""

    status: int
    reason: str
    data: bytes | str
    headers: httpx.Headers

    def getheaders(self) -> httpx.Headers:
        """All headers."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """One header."""
        return self.headers.get(name, default)


@dataclass(frozen=True)
class Token:
    """A bearer token, and the environment variable it came from. The value is never shown."""

    value: str
    variable: str

    def __post_init__(self) -> None:
        # Here, for whatever sends it tells in its own error what it could not send.
        if not all(" " <= letter <= "~" for letter in self.value):
            raise UsageError(
                f"the token in ${self.variable} has a line break or other characters a header cannot carry; export it as it was given out"
            )

    def __repr__(self) -> str:
        return f"Token(from ${self.variable})"


class HttpTransport:
    """Sends one request at a time to one host.

    Raises:
        ServerUnavailable, NotKubeflow, RequestRefused: see there; never a library's own error.
    """

    def __init__(self, host: str, token: Token | None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._host, self._token, self._timeout = host, token, timeout
        headers = {"Authorization": f"Bearer {token.value}"} if token else {}
        # Reading all certificates takes longer than the requests. A plain address needs none, and this context trusts nobody.
        verify = True if urlsplit(host).scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(verify=verify, timeout=timeout, headers=headers, trust_env=not is_loopback(urlsplit(host).netloc))

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query_params: Sequence[tuple[str, Any]] | None = None,
        post_params: Sequence[tuple[str, Any]] | None = None,
        body: Any = None,
        **_: Any,
    ) -> Answer:
        """One request, as the generated client asks for it."""
        headers, content = dict(headers or {}), None
        if post_params:
            headers.pop("Content-Type", None)  # httpx writes it with the boundary between the parts
        elif body is not None:
            content = json.dumps(body).encode()
        try:
            response = self._http.request(
                method, url, params=list(query_params or []), headers=headers, content=content, files=list(post_params or []) or None
            )
        except httpx.TimeoutException as error:
            raise ServerUnavailable(f"{self._host} did not answer within {self._timeout:g} s: is it overloaded?") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise NotKubeflow(f"{self._host} is no address: {error}; set kubeflow.host, for example to http://localhost:8888") from error
        except httpx.HTTPError as error:
            raise ServerUnavailable(f"{self._host} cannot be reached: {_one_line(str(error)) or type(error).__name__}") from error
        self._check(response)
        return Answer(response.status_code, response.reason_phrase, response.content, response.headers)

    GET = partialmethod(request, "GET")
    POST = partialmethod(request, "POST")
    PUT = partialmethod(request, "PUT")
    PATCH = partialmethod(request, "PATCH")
    DELETE = partialmethod(request, "DELETE")

    def _check(self, response: httpx.Response) -> None:
        """Raise for everything but a document of the API."""
        status, said = response.status_code, self._hidden(_message(response))
        if status in _LOGIN:
            raise RequestRefused(f"{self._host} sends to a login page ({status}); {self._login()}", status=status)
        if status == 401:
            raise RequestRefused(f"{self._host} does not know who asks (401); {self._login()}", status=status)
        if status >= 500 or status in _AGAIN:
            raise ServerUnavailable(f"{self._host} could not answer ({status}): {said or response.reason_phrase}")
        if status == 403 and said is None:
            said = self._hidden(_one_line(response.text))  # a gateway in front of the API answers in plain text
        if said is None:
            raise NotKubeflow(f"{self._host} is no Kubeflow Pipelines v2 API: {response.url.path} answers {status} with something else")
        if status >= 400:
            meaning = {403: "this is not allowed (403)", 404: "not found (404)", 409: "already exists (409)"}
            raise RequestRefused(f"{self._host}: {meaning.get(status, f'refused ({status})')}: {said}", status=status)

    def _hidden(self, text: str | None) -> str | None:
        """What the server said, without the token, should it have said that."""
        return text.replace(self._token.value, "***") if text and self._token else text

    def _login(self) -> str:
        if self._token is None:
            return "put a bearer token into an environment variable and its name into kubeflow.token_env"
        return f"the token in ${self._token.variable} is not accepted: it may have expired"


def _message(response: httpx.Response) -> str | None:
    """What the API says of an error, "" for a document without a message, None where the body is no JSON object."""
    try:
        document = response.json()
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    return _one_line(str(document.get("message") or document.get("error") or ""))


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."
