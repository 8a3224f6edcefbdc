"""Brings a compiled pipeline to the server; the same content is the same version, however often it is uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.kubeflow.client import KubeflowClient
from pipeline.kubeflow.errors import RequestRefused
from pipeline.kubeflow.package import Package

Change = Literal["created", "updated", "unchanged"]
_CONFLICT = 409


@dataclass(frozen=True)
class Uploaded:
    """Where a package is on the server. ``updated`` means: a new version of a pipeline that was there."""

    pipeline_id: str
    version_id: str
    version: str
    change: Change


def upload(client: KubeflowClient, package: Package) -> Uploaded:
    """Upload what is not there yet. Killed half-way, or done twice at once, the next one finishes it."""
    change: Change = "updated"
    pipeline = client.find_pipeline(package.name)
    if pipeline is None:
        change = "created"
        pipeline = _made(client, package)
    found = client.find_version(pipeline, package.version)
    if found is not None:
        return Uploaded(pipeline, found, package.version, "unchanged")
    try:
        made = client.upload_version(pipeline, package.version, package.text)
    except RequestRefused as error:
        # Another upload of the same content was faster: the same version.
        again = client.find_version(pipeline, package.version) if error.status == _CONFLICT else None
        if again is None:
            raise
        return Uploaded(pipeline, again, package.version, "unchanged")
    return Uploaded(pipeline, made, package.version, change)


def _made(client: KubeflowClient, package: Package) -> str:
    try:
        return client.create_pipeline(package.name, f"sluiceway {package.name}")
    except RequestRefused as error:
        found = client.find_pipeline(package.name) if error.status == _CONFLICT else None
        if found is None:
            raise
        return found
