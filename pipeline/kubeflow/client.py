"""Asks a Kubeflow Pipelines v2 server, through KFP's own generated client.

`kfp.Client` is not used: it prints, reads settings of other programs from the home folder, makes requests while it is constructed
and needs seconds to import. What is below it (`kfp_server_api`) does the same requests.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from typing_extensions import Self

from configs.environment import Kubeflow
from configs.errors import UsageError
from pipeline.kubeflow.documents import RecurringRun, Run
from pipeline.kubeflow.errors import NotKubeflow, RequestRefused
from pipeline.kubeflow.transport import TIMEOUT_SECONDS, HttpTransport, Token

_PAGE = 100
_EQUALS = 1
# Names of variables are shorter; a longer one may be a token that was put in the wrong place.
_LONGEST_NAME = 30
_D = TypeVar("_D")


@dataclass(frozen=True)
class Health:
    """What the server says of itself."""

    multi_user: bool


def token_of(kubeflow: Kubeflow, environ: Mapping[str, str] = os.environ) -> Token | None:
    """The bearer token, from the environment variable that the configuration names; None where it names none."""
    if kubeflow.token_env is None:
        return None
    # Who puts the token itself there does not want to read it in a log.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", kubeflow.token_env):
        raise UsageError("kubeflow.token_env is not the name of an environment variable; export the token in one and give its name")
    value = environ.get(kubeflow.token_env, "").strip()
    if not value:
        name = kubeflow.token_env if len(kubeflow.token_env) <= _LONGEST_NAME else f"{kubeflow.token_env[:4]}..."
        raise UsageError(f"kubeflow.token_env names {name}, which is not set; export the API's bearer token in it")
    return Token(value, kubeflow.token_env)


def host_of(kubeflow: Kubeflow) -> str:
    """The address of the API, checked for its form."""
    host = (kubeflow.host or "").strip().rstrip("/").removesuffix("/#")
    if not host:
        raise UsageError("no address of Kubeflow Pipelines; give --host, or set kubeflow.host, for example to http://localhost:8888")
    if "@" in host:
        raise UsageError("kubeflow.host holds a user or a password, which messages would show; leave it out and use kubeflow.token_env")
    try:
        parts = urlsplit(host)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(
            f"kubeflow.host: {host!r} is no address; write it like http://localhost:8888 or https://kubeflow.example.org/pipeline"
        )
    return host


class KubeflowClient:
    """The few requests we make. Used as a context manager; every method may raise what `HttpTransport` raises."""

    def __init__(self, host: str, namespace: str | None = None, token: Token | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        import kfp_server_api

        self.host, self.namespace = host, namespace
        self._kfp = kfp_server_api
        self._transport = HttpTransport(host, token, timeout)
        self._api = kfp_server_api.ApiClient(kfp_server_api.Configuration(host=host))
        self._api.rest_client = self._transport
        self._api.deserialize = self._deserialized(self._api.deserialize)
        self._pipelines = kfp_server_api.PipelineServiceApi(self._api)
        self._uploads = kfp_server_api.PipelineUploadServiceApi(self._api)
        self._experiments = kfp_server_api.ExperimentServiceApi(self._api)
        self._runs = kfp_server_api.RunServiceApi(self._api)
        self._recurring = kfp_server_api.RecurringRunServiceApi(self._api)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def run_url(self, run_id: str) -> str:
        """Where a person looks at a run."""
        return f"{self.host}/#/runs/details/{run_id}"

    def health(self) -> Health:
        """Raises NotKubeflow where the server speaks another version of the API."""
        try:
            answer = self._kfp.HealthzServiceApi(self._api).healthz_service_get_healthz()
        except RequestRefused as error:
            if error.status != 404:
                raise
            raise NotKubeflow(f"{self.host} has no API v2beta1: this needs Kubeflow Pipelines 2") from error
        return Health(bool(answer.multi_user))

    def find_pipeline(self, name: str) -> str | None:
        """The id of the pipeline of that name."""
        for each in self._all(self._pipelines.pipeline_service_list_pipelines, "pipelines", named=name, namespace=self.namespace):
            if each.display_name == name:
                return str(each.pipeline_id)
        return None

    def create_pipeline(self, name: str, description: str) -> str:
        """Make a pipeline without versions. Returns its id."""
        body = self._kfp.V2beta1Pipeline(display_name=name, description=description, namespace=self.namespace)
        return str(self._pipelines.pipeline_service_create_pipeline(body).pipeline_id)

    def find_version(self, pipeline_id: str, name: str) -> str | None:
        """The id of a pipeline's version of that name."""

        def versions(**given: Any) -> Any:
            return self._pipelines.pipeline_service_list_pipeline_versions(pipeline_id, **given)

        for each in self._all(versions, "pipeline_versions", named=name):
            if each.display_name == name:
                return str(each.pipeline_version_id)
        return None

    def upload_version(self, pipeline_id: str, name: str, text: str) -> str:
        """Add a version to a pipeline. Returns its id."""
        with tempfile.TemporaryDirectory(prefix="sluiceway-") as folder:
            path = Path(folder) / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
            answer = self._uploads.upload_pipeline_version(str(path), name=name, pipelineid=pipeline_id)
        return str(answer.pipeline_version_id)

    def find_experiment(self, name: str) -> str | None:
        """The id of the experiment of that name."""
        for each in self._all(self._experiments.experiment_service_list_experiments, "experiments", named=name, namespace=self.namespace):
            if each.display_name == name:
                return str(each.experiment_id)
        return None

    def experiment(self, name: str) -> str:
        """The id of the experiment of that name, which is made where there is none."""
        found = self.find_experiment(name)
        if found is not None:
            return found
        body = self._kfp.V2beta1Experiment(display_name=name, namespace=self.namespace)
        return str(self._experiments.experiment_service_create_experiment(body).experiment_id)

    def create_run(self, **fields: Any) -> Run:
        """Start a run; the fields are those of `V2beta1Run`, nested ones as plain dictionaries."""
        return self._typed(self._runs.run_service_create_run(self._filled(self._kfp.V2beta1Run, fields)), Run)

    def run(self, run_id: str) -> Run:
        """A run with its tasks."""
        return self._typed(self._runs.run_service_get_run(run_id), Run)

    def runs(self, experiment_id: str, most: int = _PAGE) -> list[Run]:
        """The newest runs of an experiment, newest first."""
        newest = self._all(
            self._runs.run_service_list_runs, "runs", experiment_id=experiment_id, namespace=self.namespace, sort_by="created_at desc"
        )
        return [self._typed(each, Run) for each in islice(newest, most)]

    def recurring_runs(self) -> list[RecurringRun]:
        """All of the namespace."""
        pages = self._all(self._recurring.recurring_run_service_list_recurring_runs, "recurring_runs", namespace=self.namespace)
        return [self._typed(each, RecurringRun) for each in pages]

    def create_recurring_run(self, **fields: Any) -> RecurringRun:
        """Make one; the fields are those of `V2beta1RecurringRun`, nested ones as plain dictionaries."""
        body = self._filled(self._kfp.V2beta1RecurringRun, {"namespace": self.namespace, **fields})
        return self._typed(self._recurring.recurring_run_service_create_recurring_run(body), RecurringRun)

    def enable_recurring_run(self, recurring_run_id: str) -> None:
        """From now on it starts runs."""
        self._recurring.recurring_run_service_enable_recurring_run(recurring_run_id)

    def disable_recurring_run(self, recurring_run_id: str) -> None:
        """It starts no more runs."""
        self._recurring.recurring_run_service_disable_recurring_run(recurring_run_id)

    def delete_recurring_run(self, recurring_run_id: str) -> None:
        """It is gone; its runs stay."""
        self._recurring.recurring_run_service_delete_recurring_run(recurring_run_id)

    def _all(self, page: Callable[..., Any], key: str, *, named: str | None = None, **given: Any) -> Iterator[Any]:
        """What a list call gives, over all its pages."""
        if named is not None:
            given["filter"] = json.dumps({"predicates": [{"operation": _EQUALS, "key": "display_name", "stringValue": named}]})
        token = ""
        while True:
            answer = page(page_token=token, page_size=_PAGE, **{name: value for name, value in given.items() if value is not None})
            yield from getattr(answer, key) or []
            token = answer.next_page_token or ""
            if not token:
                return

    def _deserialized(self, generated: Callable[..., Any]) -> Callable[..., Any]:
        """The generated client's way from a response to a model, with its errors told as ours."""

        def read(response: Any, kind: Any) -> Any:
            try:
                return generated(response, kind)
            except (self._kfp.ApiException, AttributeError, TypeError, ValueError) as error:
                said = " ".join(str(getattr(error, "reason", error)).split())
                raise NotKubeflow(f"{self.host} sent a {kind} that cannot be read: {said}") from error

        return read

    def _filled(self, model: type, fields: Mapping[str, Any]) -> Any:
        """A model of the official client; a nested dictionary becomes the model that the client declares for it."""
        types: Mapping[str, str] = model.openapi_types  # type: ignore[attr-defined]
        nested = {
            name: self._filled(getattr(self._kfp, types[name]), value)
            if isinstance(value, dict) and hasattr(self._kfp, types[name])
            else value
            for name, value in fields.items()
            if value is not None
        }
        return model(**nested)

    def _typed(self, model: Any, kind: type[_D]) -> _D:
        try:
            return msgspec.convert(self._api.sanitize_for_serialization(model), kind, strict=False)
        except msgspec.ValidationError as error:
            raise NotKubeflow(f"{self.host} sent a {kind.__name__} that cannot be read: {error}") from error


def open_client(kubeflow: Kubeflow, environ: Mapping[str, str] = os.environ, timeout: float = TIMEOUT_SECONDS) -> KubeflowClient:
    """A client for the configured server, once this answers as one.

    Raises:
        UsageError: the address or the token is missing, or the server serves several users and no namespace is given.
    """
    client = KubeflowClient(host_of(kubeflow), kubeflow.namespace, token_of(kubeflow, environ), timeout)
    try:
        if client.health().multi_user and not client.namespace:
            raise UsageError(f"{client.host} serves several users: set kubeflow.namespace to your profile's")
    except BaseException:
        client.__exit__()
        raise
    return client
