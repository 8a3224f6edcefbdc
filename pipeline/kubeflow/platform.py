"""What a step may use and what it is given by the cluster: resources, volumes, secrets by name."""

from __future__ import annotations

from typing import Any

from kfp import kubernetes

from configs.environment import Kubeflow


def dress(task: Any, kubeflow: Kubeflow, step: str) -> Any:
    """Give a task its resources, environment, secrets and volumes. Returns the task."""
    wanted = kubeflow.steps.get(step, kubeflow.step)
    if wanted.cpu:
        task.set_cpu_request(wanted.cpu).set_cpu_limit(wanted.cpu)
    if wanted.memory:
        task.set_memory_request(wanted.memory).set_memory_limit(wanted.memory)
    if wanted.accelerator:
        task.set_accelerator_type(wanted.accelerator).set_accelerator_limit(wanted.accelerators)
    if wanted.retries:
        task.set_retry(wanted.retries, backoff_duration="30s", backoff_factor=2.0, backoff_max_duration="600s")
    if wanted.timeout_minutes:
        kubernetes.set_timeout(task, wanted.timeout_minutes * 60)
    for label, value in sorted(wanted.node_selector.items()):
        kubernetes.add_node_selector(task, label, value)
    for name, value in sorted(kubeflow.env.items()):
        task.set_env_variable(name, value)
    for secret in kubeflow.secrets:
        kubernetes.use_secret_as_env(task, secret.name, dict(sorted(secret.keys.items())))
    for volume in kubeflow.volumes:
        kubernetes.mount_pvc(task, volume.claim, volume.path)
    return task
