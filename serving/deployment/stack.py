"""A stack, from our configuration to the files of a folder: for TF Serving alone, for Docker Compose, for Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.environment import EnvironmentConfig
from configs.errors import ConfigError, UsageError
from configs.paths import store_folder
from serving.deployment import composed, gateway_file, kustomization, server_files, shipped
from serving.deployment.folder import Content
from serving.deployment.models import Choice, choose, unanswerable
from serving.store import open_store

COMPOSE = "compose"
OVERLAYS = (*kustomization.OVERLAYS, COMPOSE)
_IN_CONTAINER = "/models"
_READY = "ready.sh"


@dataclass(frozen=True)
class Stack:
    """What a folder is to hold, which models it serves, and what a person should know."""

    files: Mapping[str, Content]
    choice: Choice
    notes: tuple[str, ...]


def published(environment: EnvironmentConfig) -> dict[str, list[int]]:
    """Model to its whole versions, oldest first, as this machine's store has them. Raises StoreError."""
    store = open_store(environment.store.kind, str(store_folder(environment)))
    return {model: [version.number for version in store.versions(model)] for model in store.models()}


def server_stack(environment: EnvironmentConfig, named: Sequence[str], *, base_path: str | None, unseen: bool = False) -> Stack:
    """TF Serving's files alone; models lie below ``base_path``, or in this machine's store. Raises UsageError."""
    there = published(environment)
    choice = choose(named, environment.deploy.models, there, unseen=unseen)
    files = _server_files(environment, choice, base_path or str(store_folder(environment)), environment.deploy.model_server.cpu_limit)
    return Stack(files, choice, choice.notes)


def render(environment: EnvironmentConfig, named: Sequence[str], overlay: str, *, unseen: bool = False) -> Stack:
    """The files of an overlay: ``compose``, or one of Kubernetes.

    Raises:
        UsageError: a model, a version or a value does not fit; nothing was written.
    """
    deploy, there = environment.deploy, published(environment)
    compose = overlay == COMPOSE
    choice = choose(named, deploy.models, there, unseen=unseen)
    bucket = None if compose else deploy.storage.bucket
    cores = deploy.model_server.cpu_limit or (None if compose else kustomization.SHIPPED_CORES["model-server"])
    config = {name: content.data for name, content in _server_files(environment, choice, bucket or _IN_CONTAINER, cores).items()}
    config[_READY] = shipped.tree(f"{shipped.CONFIG}/{_READY}")[f"{shipped.CONFIG}/{_READY}"]
    gateway = gateway_file.in_container(environment.gateway, store=None if bucket else gateway_file.STORE, behind_proxy=compose)
    config[gateway_file.GATEWAY] = gateway_file.gateway_yaml(gateway).encode()
    if compose:
        files = composed.project(deploy, environment.gateway, store_folder(environment), config)
    else:
        config.pop(server_files.SSL, None)  # a key is a secret of the cluster, and in no manifest
        files = kustomization.manifests(deploy, environment.gateway, overlay, config)
    notes = [*choice.notes, *unanswerable(choice.models, environment.gateway, there), *_notes(environment, overlay)]
    private = {f"{composed.SERVER_SECRETS}/{server_files.SSL}"}
    return Stack({name: Content(data, private=name in private) for name, data in files.items()}, choice, tuple(notes))


def _server_files(environment: EnvironmentConfig, choice: Choice, base_path: str, cores: str | None) -> dict[str, Content]:
    deploy = environment.deploy
    texts = {
        server_files.MODELS: server_files.models_config(choice.models, base_path),
        server_files.BATCHING: server_files.batching_config(deploy.batching, cores),
        server_files.MONITORING: server_files.monitoring_config(),
    }
    if deploy.tls:
        if environment.gateway.upstreams.get("default") and environment.gateway.upstreams["default"].tls is None:
            raise ConfigError(
                "deploy.tls is set and gateway.upstreams.default.tls is null: the gateway would speak plain text to TLS; "
                "say gateway.upstreams.default.tls.ca_file"
            )
        texts[server_files.SSL] = server_files.ssl_config(deploy.tls)
    return {name: Content(text.encode(), private=name == server_files.SSL) for name, text in texts.items()}


def _notes(environment: EnvironmentConfig, overlay: str) -> list[str]:
    deploy, gateway = environment.deploy, environment.gateway
    found = []
    if deploy.batching.max_batch_size < gateway.limits.batch:
        found.append(
            f"deploy.batching.max_batch_size: {deploy.batching.max_batch_size} rows are fewer than gateway.limits.batch: "
            f"{gateway.limits.batch} lets through; the model server refuses the rest"
        )
    if gateway.keys is not None and gateway.keys.env is not None:
        if overlay == COMPOSE:
            raise UsageError(f"gateway.keys.env: {gateway.keys.env}: containers get no variables of this machine; give gateway.keys.file")
        secret = f"kubectl create secret generic gateway-env --from-file={gateway.keys.env}=FILE"
        found.append(f"gateway.keys.env: the gateway has {gateway.keys.env} from a secret that is yours to make: {secret}")
    for key, path in gateway_file.named_files(gateway).items():
        name = Path(path).name
        where = f"copy {path} into secrets/" if overlay == COMPOSE else f"put it into the secret gateway-secrets, as {name}"
        found.append(f"{key}: the gateway reads {gateway_file.SECRETS}/{name}: {where}")
    return found if overlay == COMPOSE else [*found, *kustomization.notes(deploy, overlay)]
