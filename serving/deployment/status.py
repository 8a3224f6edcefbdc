"""How a stack on a cluster is: what the API's documents and the pods' own answers say, as plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COMPONENT = "app.kubernetes.io/component"
SELECTOR = "app.kubernetes.io/part-of=sluiceway"
KINDS = ("deployments", "pods")
_READY = "ready"
# Inside the pods, where neither network policies nor ports are in the way.
ASK_SERVER = ("bash", "/etc/model-server/ready.sh", "states")
ASK_GATEWAY = (
    "python",
    "-I",
    "-c",
    "import urllib.error as e, urllib.request as web\n"
    "try: print(web.urlopen('http://127.0.0.1:8080/readyz', timeout=5).read().decode())\n"
    "except e.HTTPError as error: print(error.read().decode())",
)


@dataclass(frozen=True)
class Rollout:
    """A deployment: how many pods it wants, how many are of the newest kind, how many may be asked."""

    name: str
    image: str
    wanted: int
    updated: int
    available: int
    total: int
    seen: bool

    @property
    def done(self) -> bool:
        """Whether every pod is of the newest kind and may be asked, and no other is left."""
        return self.seen and self.wanted == self.updated == self.available == self.total


@dataclass(frozen=True)
class Pod:
    """A pod, and what it answers when it is asked; ``trouble`` is why it does not run."""

    name: str
    component: str
    ready: bool
    restarts: int
    trouble: str
    answers: Mapping[str, str] = field(default_factory=dict)


def rollouts(document: Mapping[str, Any]) -> list[Rollout]:
    """The deployments in a list of the API."""
    return [_rollout(item) for item in document.get("items", ()) if item.get("kind") == "Deployment"]


def pods(document: Mapping[str, Any]) -> list[Pod]:
    """The stack's pods in a list of the API, those of a component together."""
    found = [_pod(item) for item in document.get("items", ()) if item.get("kind") == "Pod"]
    return sorted((pod for pod in found if pod.component in ("gateway", "model-server")), key=lambda pod: (pod.component, pod.name))


def model_states(text: str) -> dict[str, str]:
    """What ``ready.sh states`` printed: model to its versions and their states, ``3 AVAILABLE, 4 END: why``."""
    found = {}
    for line in text.splitlines():
        name, _, said = line.partition("\t")
        found[name] = _versions(said)
    return found


def gateway_says(text: str) -> str:
    """What the gateway's /readyz answered, in a few words."""
    try:
        document = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:200]
    if not isinstance(document, dict) or "ready" not in document:
        return text.strip()[:200]
    upstreams = document.get("upstreams") or {}
    amiss = [f"{name} {state}" for name, state in upstreams.items() if state != "ok"] or [str(document.get("problem", ""))]
    told = ", ".join(part for part in amiss if part)
    return (_READY if document["ready"] is True else "not ready") + (f": {told}"[:200] if told else "")


def healthy(deployments: list[Rollout], members: list[Pod]) -> bool:
    """Whether everything is rolled out, every gateway reaches its model servers, and every model is AVAILABLE wherever it was asked for."""
    wanted = {"gateway": re.compile(_READY), "model-server": re.compile(r"(.*, )?\d+ AVAILABLE(,.*)?", re.DOTALL)}
    said = all(wanted[pod.component].fullmatch(answer) for pod in members for answer in pod.answers.values())
    return bool(deployments) and all(rollout.done for rollout in deployments) and said


def _rollout(item: Mapping[str, Any]) -> Rollout:
    spec, status, metadata = item.get("spec", {}), item.get("status", {}), item.get("metadata", {})
    containers = spec.get("template", {}).get("spec", {}).get("containers", [{}])
    return Rollout(
        name=metadata.get("name", "?"),
        image=containers[0].get("image", "?"),
        wanted=spec.get("replicas", 1),
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        total=status.get("replicas", 0),
        seen=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
    )


def _pod(item: Mapping[str, Any]) -> Pod:
    metadata, status = item.get("metadata", {}), item.get("status", {})
    containers = status.get("containerStatuses", [])
    conditions = {condition.get("type"): condition.get("status") for condition in status.get("conditions", [])}
    return Pod(
        name=metadata.get("name", "?"),
        component=metadata.get("labels", {}).get(COMPONENT, ""),
        ready=conditions.get("Ready") == "True",
        restarts=sum(container.get("restartCount", 0) for container in containers),
        trouble="ending" if metadata.get("deletionTimestamp") else _trouble(status, containers),
    )


def _trouble(status: Mapping[str, Any], containers: list[Mapping[str, Any]]) -> str:
    for container in containers:
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return str(waiting.get("reason", "waiting"))
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("message") or condition.get("reason") or "not scheduled")
    return "" if status.get("phase") == "Running" else str(status.get("phase", "unknown"))


def _versions(said: str) -> str:
    try:
        document = json.loads(said)
    except ValueError:
        return said.strip()[:200] or "no answer"
    if "error" in document:
        return str(document["error"])[:200]
    states = []
    for version in document.get("model_version_status", ()):
        why = version.get("status", {}).get("error_message", "")
        states.append(f"{version.get('version')} {version.get('state')}{f': {why[:120]}' if why else ''}")
    return ", ".join(states) or "no version"
