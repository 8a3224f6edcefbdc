"""Starts a run of a compiled pipeline, with its parameters, in its experiment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from configs.environment import Kubeflow
from pipeline.kubeflow.client import KubeflowClient
from pipeline.kubeflow.documents import Run
from pipeline.kubeflow.upload import Uploaded


def submit(client: KubeflowClient, kubeflow: Kubeflow, uploaded: Uploaded, name: str, parameters: Mapping[str, Any]) -> Run:
    """Start a run of what was uploaded. The experiment is made where there is none."""
    experiment = client.experiment(kubeflow.experiment)
    return client.create_run(
        display_name=f"{name} {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}",
        experiment_id=experiment,
        pipeline_version_reference={"pipeline_id": uploaded.pipeline_id, "pipeline_version_id": uploaded.version_id},
        runtime_config={"parameters": dict(parameters)},
        service_account=kubeflow.service_account,
    )
