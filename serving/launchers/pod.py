"""The pod that serves one candidate, as a manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.errors import LaunchError
from serving.launchers.target import Target
from serving.launchers.upstream import GRPC_PORT, MODELS, REST_PORT, load_flags

CONTAINER = "server"
# The longest a pod lives, whatever becomes of whoever asked for it: more than the longest load that can be allowed.
DEADLINE_SECONDS = 2 * 3600
_NOBODY = 65532


def place_on_volume(model_dir: Path, mount: str) -> str:
    """The candidate's path on the volume that is mounted here at `mount`. Raises LaunchError when it is not on it."""
    try:
        return model_dir.resolve().relative_to(Path(mount).resolve()).as_posix()
    except ValueError as error:
        raise LaunchError(
            f"{model_dir} is not on the volume mounted at {mount} (launchers.kubernetes.mount): a pod cannot see it; keep the state there"
        ) from error


def manifest(
    target: Target, name: str, model_name: str, place: str, labels: Mapping[str, str], owner: Mapping[str, str] | None
) -> dict[str, Any]:
    """A pod that serves the model at `place` on the target's claim, fit for the Pod Security Standard "restricted".

    ``owner``: name and uid of the pod that asks; the cluster removes what belongs to a pod that is gone.
    """
    metadata: dict[str, Any] = {"name": name, "namespace": target.namespace, "labels": dict(labels)}
    if owner is not None:
        metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod", **owner}]
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": DEADLINE_SECONDS,
        "terminationGracePeriodSeconds": 1,  # TF Serving as process 1 ignores the signal; there is nothing to drain
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": os.getuid() or _NOBODY, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(target, model_name, place)],
        "volumes": [
            {"name": "candidate", "persistentVolumeClaim": {"claimName": target.claim, "readOnly": True}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    if target.service_account is not None:
        spec["serviceAccountName"] = target.service_account
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _container(target: Target, model_name: str, place: str) -> dict[str, Any]:
    mounted: dict[str, Any] = {"name": "candidate", "mountPath": f"{MODELS}/{model_name}/1", "subPath": place, "readOnly": True}
    return {
        "name": CONTAINER,
        "image": target.what,
        "args": load_flags(target),
        "env": [
            {"name": "MODEL_NAME", "value": model_name},
            {"name": "MODEL_BASE_PATH", "value": MODELS},
            {"name": "HOME", "value": "/tmp"},
        ],
        "ports": [{"name": "grpc", "containerPort": GRPC_PORT}, {"name": "rest", "containerPort": REST_PORT}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [mounted, {"name": "scratch", "mountPath": "/tmp"}],
    }
