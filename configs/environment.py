"""The typed shape of ``configs/environments/<name>.yaml``: WHERE a use case runs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from configs.deployment import DeployConfig
from configs.gateway import GatewayConfig
from configs.section import Cores, Count, Image, Memory, Port, PositiveFloat, PositiveInt, Section, Text

_TF_SERVING = "tensorflow/serving:2.19.1"


class Store(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The version store: what TF Serving polls."""

    kind: Literal["local"] = "local"
    path: str | None = None
    """A folder; null means ``store`` below the state folder."""


class Server(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where ``serve`` listens and where ``predict`` asks."""

    host: Text = "127.0.0.1"
    rest_port: Port = 8501
    grpc_port: Port = 8500
    poll_seconds: PositiveFloat = 1.0
    """How often the server looks for a new version."""


class Beam(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the data nodes run on Apache Beam."""

    args: list[str] = []
    """Beam arguments of every data node; none means Beam's own local runner."""
    nodes: dict[str, list[str]] = {}
    """Node to arguments that stand in place of ``args`` for that node."""
    work: str | None = None
    """Bucket URI for Dataflow, whose workers see no folder: a step's inputs and outputs lie there while it runs."""


class BinaryLauncher(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model server that is installed here."""

    path: Text = "tensorflow_model_server"
    """A name looked up on PATH, or a path."""
    flags: list[str] = []
    """Further flags, as the production server gets them."""


class DockerLauncher(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Model servers as containers of the local Docker engine."""

    images: list[Image] = field(default_factory=lambda: [_TF_SERVING])
    """The candidate must pass on each of them."""
    flags: list[str] = []
    """Further flags, as the production server gets them."""


class KubernetesLauncher(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Model servers as pods of a cluster."""

    images: list[Image] = field(default_factory=lambda: [_TF_SERVING])
    """The candidate must pass on each of them."""
    flags: list[str] = []
    """Further flags, as the production server gets them."""
    namespace: Text = "default"
    """Where the pods are made."""
    context: str | None = None
    """A context of the kubeconfig; null means the current one, or the pod's own service account inside a cluster."""
    claim: str | None = None
    """A PersistentVolumeClaim that holds the candidate and is mounted here too, at ``mount``."""
    mount: Text = "/sluiceway"
    """Where ``claim`` is mounted here: the candidate's place on the volume is its path below this."""
    service_account: str | None = None
    """The pod's own; null means the namespace's default. No token is mounted."""


class Launchers(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each launcher needs to know; ``launcher`` chooses one."""

    binary: BinaryLauncher = BinaryLauncher()
    docker: DockerLauncher = DockerLauncher()
    kubernetes: KubernetesLauncher = KubernetesLauncher()


class Step(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one node may use when it runs as a container; null leaves it to the cluster."""

    cpu: Cores | None = None
    """Cores, as Kubernetes writes them: ``500m``, ``2``."""
    memory: Memory | None = None
    """As Kubernetes writes it: ``4Gi``."""
    accelerator: Text | None = None
    """Resource name, for example ``nvidia.com/gpu``."""
    accelerators: Literal[1, 2, 4, 8, 16] = 1
    """How many of ``accelerator``; KFP takes no other number."""
    timeout_minutes: PositiveInt | None = None
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    """How often a step that failed is started again. A refusal is no failure."""
    node_selector: dict[str, str] = {}
    """Labels that the machine must have."""


class SecretEnv(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A Kubernetes secret whose keys become environment variables of every step; only names stand here."""

    name: Text
    keys: dict[str, str]
    """Key of the secret to environment variable."""


class Volume(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A PersistentVolumeClaim that every step mounts."""

    claim: Text
    path: Text


class Kubeflow(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the pipeline runs on Kubeflow Pipelines v2."""

    host: str | None = None
    """Address of the KFP API, for example ``http://localhost:8888``."""
    namespace: str | None = None
    """The profile of a multi-user installation; null in a single-user one."""
    token_env: str | None = None
    """Name of the environment variable that holds the API's bearer token."""
    experiment: Text = "sluiceway"
    timezone: Text = "UTC"
    """Where the cluster reads cron expressions: the CRON_SCHEDULE_TIMEZONE of its scheduled workflow controller; UTC where it has none."""
    image: Image = "sluiceway/pipeline:0.1.0"
    """The pipeline image; a tag that never changes, or a digest, keeps KFP's cache honest."""
    service_account: str | None = None
    """Of the steps; null means KFP's own."""
    step: Step = Step()
    """For every node ..."""
    steps: dict[str, Step] = {}
    """... except those that stand here, by name."""
    env: dict[str, str] = {}
    """Environment variables of every step; no secrets."""
    secrets: list[SecretEnv] = []
    volumes: list[Volume] = []


class Scheduling(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How schedules behave where nothing else is said."""

    timezone: Text = "UTC"
    """IANA name; a cron expression is read in it."""
    jitter_seconds: Count = 60
    """A run starts up to so many seconds late, so that many schedules do not start at once."""
    stop_after_failures: PositiveInt = 3
    """After so many failed runs in a row the schedule pauses itself."""


class EnvironmentConfig(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """WHERE it runs: ``configs/environments/<name>.yaml``."""

    runner: Literal["local", "kubeflow"] = "local"
    state: Text = "state"
    """Folder for metadata, artifacts, logs and the store; relative to the working directory."""
    budget: Literal["full", "smoke"] = "full"
    cache: bool = True
    """Reuse the outputs of nodes whose inputs did not change."""
    launcher: Literal["embedded", "binary", "docker", "kubernetes"] = "embedded"
    """What boots the model server for the infra gate."""
    launchers: Launchers = Launchers()
    beam: Beam = Beam()
    store: Store = Store()
    server: Server = Server()
    gateway: GatewayConfig = GatewayConfig()
    """The API and the page in front of the model servers."""
    deploy: DeployConfig = DeployConfig()
    """The whole stack on other machines: containers, a cluster."""
    kubeflow: Kubeflow = Kubeflow()
    schedule: Scheduling = Scheduling()
