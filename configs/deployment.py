"""The typed shape of a deployment: which models a model server of production serves, and what runs around it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from configs.section import Cores, Image, Memory, Port, PositiveInt, Section, Text

TF_SERVING = "tensorflow/serving:2.19.1"

# What Kubernetes lets a namespace, a claim and a secret be called.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Name = Annotated[str, Meta(pattern=rf"^{_LABEL}\Z", extra={"words": "a Kubernetes name like sluiceway: small letters, digits and -"})]
Host = Annotated[
    str,
    Meta(pattern=rf"^{_LABEL}(\.{_LABEL})*\Z", max_length=253, extra={"words": "a host name like models.example.com, in small letters"}),
]
Bucket = Annotated[
    str,
    Meta(
        pattern=r"^gs://[a-z0-9][a-z0-9._-]*[a-z0-9](/[A-Za-z0-9._-]+)*\Z",
        extra={"words": "a folder of a bucket like gs://models/store; TF Serving's released binary reads no s3://"},
    ),
]


class ServedModel(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which versions of one model a model server loads, and what they are called."""

    latest: PositiveInt = 2
    """So many of the newest versions: with the one before the newest, versions can be compared, and the way back needs no loading."""
    versions: list[PositiveInt] = []
    """Exactly these instead; a newer one then waits until it stands here."""
    labels: dict[Text, PositiveInt] = {}
    """Label to version, for requests that name a label. A version that is not published gets no label."""


class Batching(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the model server runs requests together. The defaults cost no request any waiting time."""

    max_batch_size: PositiveInt = 1024
    """Most rows in one run; a request with more is refused, so it is not below the gateway's ``limits.batch``."""
    timeout_micros: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    """How long a batch waits for more; 0 means until a thread is free."""
    threads: PositiveInt | None = None
    """Batches that run at the same time; null means the whole cores of ``model_server.cpu_limit``, or as TF Serving decides."""
    queue: PositiveInt = 100
    """Batches that may wait; UNAVAILABLE beyond it."""


class Tls(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """TLS of the model server's gRPC port: PEM files on this machine, by path. Their content goes into ``ssl.config`` and nowhere else."""

    key_file: Text
    """The server's key ..."""
    cert_file: Text
    """... and its certificate."""
    ca_file: str | None = None
    """Who signs clients' certificates."""
    client_verify: bool = False
    """Whether a client must show one; it needs ``ca_file``."""


class Pods(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Copies of one program. Null leaves a value to the overlay."""

    image: Image
    """A tag that never changes, or a digest."""
    replicas: PositiveInt | None = None
    """Where pods are scaled automatically, the fewest."""
    max_replicas: PositiveInt | None = None
    """Most pods, where they are scaled automatically."""
    cpu: Cores | None = None
    """Cores that are set aside for each."""
    cpu_limit: Cores | None = None
    """Cores that each may use; TensorFlow gets as many threads."""
    memory: Memory | None = None
    """Memory that is set aside for each, and the most it may use. A new version is loaded beside the old one: twice a model's size."""


class ModelServers(Pods, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """TF Serving, or what starts like it."""

    image: Image = TF_SERVING
    """A tag that never changes, or a digest; ``sluiceway/server`` is our own."""


class Gateways(Pods, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The API and the page."""

    image: Image = "sluiceway/gateway:0.1.0"
    """A tag that never changes, or a digest."""


class Storage(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the model servers of a cluster find the version store."""

    claim: Name = "sluiceway"
    """A PersistentVolumeClaim with the store in its folder ``store``, as the pipeline's steps leave it there."""
    bucket: Bucket | None = None
    """A bucket that TF Serving reads by itself, instead of the claim."""
    poll_seconds: PositiveInt | None = None
    """How often servers look for new versions; null means every 2 s on a volume, every 60 s in a bucket, where each look costs money."""


class Entrance(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a cluster lets requests in."""

    kind: Literal["traefik", "ingress"] | None = None
    """Traefik's own IngressRoute, or an Ingress for any controller; null leaves it to the overlay."""
    host: Host | None = None
    """The name under which the gateway is reached; production needs one."""
    tls_secret: Name | None = None
    """The secret with that name's certificate; null means that the ingress controller has one of its own."""
    ingress_class: Name | None = None
    """Null means the cluster's default."""


class Compose(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The stack on one machine."""

    address: Text = "127.0.0.1"
    """Where it listens; 0.0.0.0 opens it to the network."""
    port: Port = 8080
    """The page and the API."""
    dashboards_port: Port = 8081
    """Grafana, with the profile ``monitoring``; on this machine only."""
    traefik: Image = "traefik:v3.7.15"
    """What lets requests in."""
    prometheus: Image = "prom/prometheus:v3.5.0"
    """Metrics, with the profile ``monitoring`` ..."""
    grafana: Image = "grafana/grafana:12.1.0"
    """... and who draws them."""


class DeployConfig(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs in production: TF Serving or our server, the gateway before it, and what lets requests in."""

    namespace: Name = "sluiceway"
    """Of the cluster; a claim can only be mounted in its own."""
    models: dict[str, ServedModel] = {}
    """Models with rules of their own. Named on no command line, these are served, or else all of the store."""
    batching: Batching = Batching()
    """How requests are run together."""
    tls: Tls | None = None
    """Null: plain gRPC, on a network that only the gateway shares."""
    model_server: ModelServers = ModelServers()
    """Who answers."""
    gateway: Gateways = Gateways()
    """Who is asked."""
    storage: Storage = Storage()
    """Where versions come from, on a cluster."""
    entrance: Entrance = Entrance()
    """Where requests come in, on a cluster."""
    monitoring: bool | None = None
    """Whether the cluster's Prometheus Operator is told what to scrape; null leaves it to the overlay."""
    compose: Compose = Compose()
    """The stack on one machine."""
