"""Kubernetes manifests of a stack: the shipped base and overlay, with our configuration in place of theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configs.deployment import DeployConfig, Pods
from configs.errors import ConfigError, UsageError
from configs.gateway import GatewayConfig
from serving.deployment import shipped

OVERLAYS = ("local", "production")
_TREE = "kubernetes"
_KUSTOMIZATION = "kustomization.yaml"
_PROGRAMS = ("model-server", "gateway")
# What preStop and a margin take, beside limits.drain_seconds.
_AROUND_DRAIN = 10
_SHIPPED_END = 30
SHIPPED_CORES = {"model-server": "2", "gateway": "1"}
# The overlay "local" calls itself so; every resolver knows that it is this machine.
_LOCAL_HOST = "sluiceway.localhost"

Document = dict[str, Any]


def manifests(deploy: DeployConfig, gateway: GatewayConfig, overlay: str, config: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path to content of a folder for ``kubectl apply -k``.

    Args:
        config: file name to content; stands in place of the base's own.

    Raises:
        ConfigError: the overlay needs to be told more.
    """
    own = f"{_TREE}/overlays/{overlay}/"
    files = {name.removeprefix(f"{_TREE}/"): data for name, data in shipped.tree(f"{_TREE}/base", f"{_TREE}/components").items()}
    files |= {name.removeprefix(own): data for name, data in shipped.tree(own.rstrip("/")).items()}
    document: Document = yaml.safe_load(files[_KUSTOMIZATION])
    document["resources"] = [path.removeprefix("../../") for path in document["resources"]]
    document["components"] = _components([path.removeprefix("../../components/") for path in document["components"]], deploy)
    if "claim.yaml" in document["resources"] and (deploy.storage.bucket or deploy.storage.claim != "sluiceway"):
        document["resources"].remove("claim.yaml")
        del files["claim.yaml"]
    document["namespace"] = deploy.namespace
    document["images"] = [_image(name, pods.image) for name, pods in _shipped_images(deploy)]
    document["patches"] = [*document.get("patches", []), *_patches(deploy, gateway, document["components"], overlay)]
    _set_replicas(document, deploy)
    files[_KUSTOMIZATION] = _written(document)
    return {**files, **{f"base/config/{name}": data for name, data in config.items()}}


def namespace_of(folder: Path) -> str:
    """Where a folder that was rendered puts its objects. Raises UsageError."""
    try:
        found = yaml.safe_load((folder / _KUSTOMIZATION).read_text(encoding="utf-8"))["namespace"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UsageError(f"{folder}: no {_KUSTOMIZATION} with a namespace; write one: sluiceway deploy render -o {folder}") from error
    return str(found)


def notes(deploy: DeployConfig, overlay: str) -> list[str]:
    """What somebody has to see to before a cluster can run it."""
    found = []
    if overlay != "local" and not _registry(deploy.gateway.image):
        found.append(f"deploy.gateway.image is {deploy.gateway.image}: push it where the cluster finds it, and name it so")
    if deploy.tls:
        found.append("the secret model-server-tls is yours to make: kubectl create secret generic model-server-tls --from-file=ssl.config")
    return found


def _shipped_images(deploy: DeployConfig) -> list[tuple[str, Pods]]:
    return [("tensorflow/serving", deploy.model_server), ("sluiceway/gateway", deploy.gateway)]


def _components(names: list[str], deploy: DeployConfig) -> list[str]:
    """The overlay's components, except where the configuration says otherwise."""
    chosen = dict.fromkeys(names)
    if deploy.storage.bucket:
        chosen = dict.fromkeys("bucket" if name == "claim" else name for name in chosen)
    if deploy.entrance.kind:
        chosen = dict.fromkeys(deploy.entrance.kind if name in ("ingress", "traefik") else name for name in chosen)
    if deploy.monitoring is not None:
        chosen.pop("monitoring", None)
        chosen |= {"monitoring": None} if deploy.monitoring else {}
    if deploy.tls:
        chosen["tls"] = None
    return [f"components/{name}" for name in chosen]


def _image(name: str, image: str) -> Document:
    """How kustomize names another image."""
    rest, _, digest = image.partition("@")
    place, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:  # the colon of a registry's port
        place, tag = rest, ""
    if not tag and not digest:
        raise ConfigError(f"deploy: image {image} has neither a tag nor a digest: it would be another one tomorrow")
    # With a digest the tag decides nothing.
    return {"name": name, "newName": place, **({"digest": digest} if digest else {"newTag": tag})}


def _registry(image: str) -> str:
    """The registry that an image's name begins with; empty where it has none."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def _patches(deploy: DeployConfig, gateway: GatewayConfig, components: list[str], overlay: str) -> list[Document]:
    found = [_resources(name, pods) for name, pods in zip(_PROGRAMS, (deploy.model_server, deploy.gateway), strict=True)]
    if deploy.storage.claim != "sluiceway" and not deploy.storage.bucket:
        volume = {"name": "store", "persistentVolumeClaim": {"claimName": deploy.storage.claim}}
        found += [_pod_patch(name, {"volumes": [volume]}) for name in _PROGRAMS]
    if deploy.storage.poll_seconds:
        env = [{"name": "POLL_SECONDS", "value": str(deploy.storage.poll_seconds)}]
        found.append(_pod_patch("model-server", {"containers": [{"name": "model-server", "env": env}]}))
    drain = math.ceil(gateway.limits.drain_seconds) + _AROUND_DRAIN
    if drain != _SHIPPED_END:
        found.append(_pod_patch("gateway", {"terminationGracePeriodSeconds": drain}))
    found += _scaling(deploy) if "components/autoscaling" in components else []
    return [patch for patch in [*found, *_entrance(deploy, components, overlay)] if patch]


def _resources(name: str, pods: Pods) -> Document:
    requests = {key: value for key, value in (("cpu", pods.cpu), ("memory", pods.memory)) if value}
    limits = {key: value for key, value in (("cpu", pods.cpu_limit), ("memory", pods.memory)) if value}
    most = pods.cpu_limit or SHIPPED_CORES[name]
    if pods.cpu and _cores(pods.cpu) > _cores(most):
        key = f"deploy.{name.replace('-', '_')}"
        raise ConfigError(f"{key}.cpu: {pods.cpu} is more than {key}.cpu_limit: {most}; say both")
    wanted = {key: values for key, values in (("requests", requests), ("limits", limits)) if values}
    return _pod_patch(name, {"containers": [{"name": name, "resources": wanted}]}) if wanted else {}


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def _scaling(deploy: DeployConfig) -> list[Document]:
    found = []
    place = f"{_TREE}/components/autoscaling/autoscalers.yaml"
    scalers = list(yaml.safe_load_all(shipped.tree(place)[place]))
    shipped_scale = {item["metadata"]["name"]: (item["spec"]["minReplicas"], item["spec"]["maxReplicas"]) for item in scalers}
    for name, pods in zip(_PROGRAMS, (deploy.model_server, deploy.gateway), strict=True):
        changes = [("minReplicas", pods.replicas), ("maxReplicas", pods.max_replicas)]
        operations = [{"op": "replace", "path": f"/spec/{key}", "value": value} for key, value in changes if value]
        least, most = pods.replicas or shipped_scale[name][0], pods.max_replicas or shipped_scale[name][1]
        if least > most:
            key = f"deploy.{name.replace('-', '_')}"
            raise ConfigError(f"{key}.replicas: {least} is more than {key}.max_replicas: {most}; say both")
        if operations:
            found.append(_json_patch("HorizontalPodAutoscaler", name, operations))
    return found


def _set_replicas(document: Document, deploy: DeployConfig) -> None:
    if "components/autoscaling" in document["components"]:
        return
    for entry, pods in zip(document["replicas"], (deploy.model_server, deploy.gateway), strict=True):
        if pods.max_replicas:
            raise UsageError(f"deploy: max_replicas of the {entry['name']}: this overlay has a fixed number of pods; say replicas")
        entry["count"] = pods.replicas or entry["count"]


def _entrance(deploy: DeployConfig, components: list[str], overlay: str) -> list[Document]:
    entrance = deploy.entrance
    if entrance.host is None and overlay == "production":
        raise ConfigError("deploy.entrance.host is null: production needs a name: --set deploy.entrance.host=models.example.com")
    if entrance.host is None and not (entrance.tls_secret or entrance.ingress_class or "components/traefik" in components):
        return []
    host = entrance.host or _LOCAL_HOST
    operations: list[Document] = []
    if "components/traefik" in components:
        # Two labels of a rule: the name, and that the metrics are not for the outside.
        rule = f"Host(`{host}`) && !Path(`/metrics`)"
        operations.append({"op": "replace", "path": "/spec/routes/0/match", "value": rule})
        if entrance.tls_secret:
            operations.append({"op": "replace", "path": "/spec/tls", "value": {"secretName": entrance.tls_secret}})
        return [_json_patch("IngressRoute", "gateway", operations)]
    operations.append({"op": "replace", "path": "/spec/rules/0/host", "value": host})
    if entrance.tls_secret:
        tls = [{"hosts": [host], "secretName": entrance.tls_secret}]
        operations.append({"op": "add", "path": "/spec/tls", "value": tls})
    if entrance.ingress_class:
        operations.append({"op": "add", "path": "/spec/ingressClassName", "value": entrance.ingress_class})
    return [_json_patch("Ingress", "gateway", operations)]


def _pod_patch(name: str, spec: Document) -> Document:
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}
    return {"target": {"kind": "Deployment", "name": name}, "patch": yaml.safe_dump(patch, sort_keys=False)}


def _json_patch(kind: str, name: str, operations: list[Document]) -> Document:
    return {"target": {"kind": kind, "name": name}, "patch": yaml.safe_dump(operations, sort_keys=False)}


class _Readable(yaml.SafeDumper):
    """Patches are texts of several lines: as blocks, people can read them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def _written(document: Document) -> bytes:
    head = "# Written by sluiceway deploy render. Change the configuration and render again, rather than this file.\n"
    return (head + yaml.dump(document, Dumper=_Readable, sort_keys=False, width=140)).encode()
