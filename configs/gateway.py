"""The typed shape of a gateway: which servers it asks, how it shares traffic out, whom it lets in and how much it takes.

It stands in an environment (``gateway:``) and, with the same keys, in a file of its own that a running gateway follows.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from configs.section import Count, Port, PositiveFloat, PositiveInt, Section, Share, Text

Weight = Annotated[float, Meta(ge=0.0, le=1e6)]
Mebibytes = Annotated[float, Meta(gt=0.0, le=1024.0)]


class Tls(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an upstream is spoken to over TLS. Files, PEM; nothing secret stands here."""

    ca_file: str | None = None
    """Who may sign the server's certificate; null means the system's authorities."""
    cert_file: str | None = None
    """Our certificate, for servers that want one ..."""
    key_file: str | None = None
    """... and its key."""
    server_name: str | None = None
    """The name in the server's certificate, where it is not the address."""


class Upstream(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model server, or several behind one name."""

    grpc: Text = "127.0.0.1:8500"
    """``host:port``, ``[v6]:port``, ``dns:///host:port`` or ``unix:path``; a name of several addresses is balanced over them."""
    tls: Tls | None = None
    """Null: plain, for a network of one's own."""


class Arm(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the versions that a model's traffic is shared out to: a number or a label; with neither, the newest."""

    version: PositiveInt | None = None
    label: Text | None = None
    weight: Weight = 1.0
    """Its share is its weight among the weights of all."""


class Shadow(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version that gets copies of requests. Nobody waits for it, and its answers are only compared."""

    version: PositiveInt | None = None
    label: Text | None = None
    share: Share = 0.1
    """Of the requests."""
    tolerance: Share = 1e-3
    """Numbers that differ by no more, absolutely or relatively, are the same."""


class Model(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one model is asked."""

    upstream: Text = "default"
    """A name of ``upstreams``."""
    arms: list[Arm] = []
    """None: all traffic goes to the newest version."""
    shadow: Shadow | None = None
    """Copies of requests to one more version."""
    timeout_seconds: PositiveFloat | None = None
    """Null means that of ``limits``."""
    concurrency: PositiveInt | None = None
    """Requests to this model under way at once; null means that of ``limits``."""


class Limits(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the gateway takes before it says no."""

    body_mib: Mebibytes = 8.0
    """Largest request body; 413 beyond it."""
    image_mib: Mebibytes = 8.0
    """Largest image, uploaded or in JSON."""
    image_pixels: PositiveInt = 50_000_000
    """Largest image by width times height, known before it is decoded."""
    batch: PositiveInt = 1024
    """Most rows in one request."""
    timeout_seconds: PositiveFloat = 30.0
    """A model's answer, at most; 504 beyond it."""
    concurrency: PositiveInt = 32
    """Requests to one model under way at once ..."""
    queue: Count = 16
    """... and waiting; 503 with Retry-After beyond it."""
    queue_seconds: PositiveFloat = 1.0
    """Longest wait."""
    drain_seconds: PositiveFloat = 20.0
    """How long requests under way may take after SIGTERM."""


class Breaker(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an upstream that fails is left alone."""

    failures: PositiveInt = 5
    """In a row; only what the server did wrong counts."""
    open_seconds: PositiveFloat = 5.0
    """Then one request may try again."""


class Keys(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """API keys, by name. No key stands here: what is kept is ``sha256:`` and a digest, made by ``sluiceway gateway-key``."""

    file: str | None = None
    """YAML: name to digest, or to {digest, per_minute, models}."""
    env: str | None = None
    """Name of an environment variable with such a document."""
    per_minute: PositiveInt | None = None
    """Requests of one key in a minute, where the document says nothing else; null means any number."""


class Jwt(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bearer tokens of an identity provider."""

    issuer: Text
    """What ``iss`` must say."""
    audience: Text
    """What ``aud`` must hold."""
    key_file: str | None = None
    """PEM public key or JSON Web Key Set."""
    algorithms: list[Text] = field(default_factory=lambda: ["RS256", "ES256"])
    """Those of public keys only."""
    per_minute: PositiveInt | None = 600
    """Requests of one ``sub`` in a minute; null means any number."""


class GatewayConfig(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The API in front of the model servers, and the page."""

    host: Text = "127.0.0.1"
    """Where it listens; 0.0.0.0 is every interface."""
    port: Port = 8080
    """0 takes a free one."""
    upstreams: dict[str, Upstream] = field(default_factory=lambda: {"default": Upstream()})
    models: dict[str, Model] = {}
    """Models with rules of their own."""
    only_listed: bool = False
    """Whether other models than these are unknown here; else they are asked of the upstream ``default``."""
    user_header: Text = "x-user-key"
    """Whose value keeps a user on one arm; without it the API key's name does, then chance."""
    store: str | None = None
    """The version store's folder, for history and metrics; null shows what the servers know."""
    examples: bool | None = None
    """Whether forms offer rows of the golden requests that were published with a version. They are rows of data: only where whoever can
    ask may see data. Null: only with ``sluiceway up``, on the loopback interface, so that no deployment takes it over from there."""
    limits: Limits = Limits()
    """What it takes before it says no."""
    breaker: Breaker = Breaker()
    """When it leaves a failing upstream alone."""
    keys: Keys | None = None
    """Null: everybody is let in."""
    jwt: Jwt | None = None
    """Bearer tokens beside, or instead of, API keys."""
    cors: list[Text] = []
    """Origins whose pages may call the API."""
    page: bool = True
    """Whether ``/`` shows the page."""
    docs: bool = True
    """Whether ``/docs`` and ``/openapi.json`` are there."""
    tracing: str | None = None
    """OTLP endpoint for traces, such as ``http://collector:4318``."""
    trusted_proxies: list[Text] = []
    """Addresses whose X-Forwarded-For is believed; ``*`` for all."""
