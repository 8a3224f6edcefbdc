"""A Kubeflow Pipelines v2 server over real HTTP: the v2beta1 calls that the official client makes, built from that client's own models.

Every document it takes and gives goes through the `openapi_types` and `attribute_map` of the installed `kfp_server_api`, so a field that
the client does not know is an error here, too. `FakeKfp.fail` scripts what goes wrong.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml

_API = "/apis/v2beta1"
_BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def package_text(name: str = "taxi", comment: str = "") -> str:
    """A compiled pipeline with the parameters of ours and nothing to run."""
    kinds = {"data": "STRING", "store": "STRING", "budget": "STRING", "thresholds": "STRUCT"}
    parameters = {key: {"parameterType": kind} for key, kind in kinds.items()}
    spec = {"pipelineInfo": {"name": name}, "root": {"inputDefinitions": {"parameters": parameters}}, "schemaVersion": "2.1.0"}
    return f"# {comment}\n{yaml.safe_dump(spec)}"


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client whose patience was shorter than a scripted silence is no news."""


@dataclass
class Failure:
    """One scripted failure: the next ``times`` requests that match get ``status`` (or silence, or another server's page)."""

    matches: str
    status: int = 500
    message: str = "scripted"
    times: int = 1
    skip: int = 0  # so many requests that match are let through first
    silent_seconds: float = 0.0
    raw: bytes | None = None
    after: bool = False  # the request is carried out, and only the answer is lost


@dataclass
class FakeKfp:
    """The server's content, and what it does. ``requests`` holds what was asked: (method, path)."""

    token: str | None = None
    multi_user: bool = False
    page: int = 2
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    scripts: list[list[dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> FakeKfp:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _answer(self) -> None:
                fake._handle(self)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names of http.server

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, matches: str, status: int = 500, **how: Any) -> None:
        """Script a failure for requests in whose ``METHOD path`` this expression is found."""
        self.failures.append(Failure(matches, status, **how))

    def play(self, *documents: Mapping[str, Any]) -> None:
        """The next run that is made shows these documents, one at each look; the last one stays."""
        self.scripts.append([dict(document) for document in documents])

    def active(self) -> list[dict[str, Any]]:
        """The recurring runs that start runs."""
        return [each for each in self.recurring.values() if each["status"] == "ENABLED"]

    def _handle(self, http: BaseHTTPRequestHandler) -> None:
        body = http.rfile.read(int(http.headers.get("Content-Length") or 0))
        path = urlsplit(http.path).path
        self.requests.append((http.command, path))
        failure = next((each for each in self.failures if each.times and re.search(each.matches, f"{http.command} {path}")), None)
        try:
            if failure is not None and failure.skip:
                failure.skip -= 1
            elif failure is not None:
                failure.times -= 1
                if failure.after:
                    self._route(http, path, body)
                time.sleep(failure.silent_seconds)
                if failure.raw is not None:
                    return _send(http, failure.status, failure.raw, "text/html")
                raise Refused(failure.status, failure.message)
            if self.token and http.headers.get("Authorization") != f"Bearer {self.token}":
                raise Refused(401, "Unauthenticated")
            _send(http, 200, json.dumps(self._route(http, path, body)).encode())
        except Refused as error:
            _send(
                http, error.status, json.dumps({"error": str(error), "code": error.status, "message": str(error), "details": []}).encode()
            )

    def _route(self, http: BaseHTTPRequestHandler, path: str, body: bytes) -> Any:
        query = {key: values[0] for key, values in parse_qs(urlsplit(http.path).query).items()}
        routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/healthz", lambda: checked("V2beta1GetHealthzResponse", {"multi_user": self.multi_user})),
            ("GET", "/pipelines", lambda: self._list("V2beta1ListPipelinesResponse", "pipelines", self.pipelines, query)),
            ("POST", "/pipelines", lambda: self._create_pipeline(json.loads(body))),
            ("POST", "/pipelines/upload_version", lambda: self._upload(http.headers, body, query)),
            ("GET", "/pipelines/([^/]+)/versions", lambda id: self._versions(id, query)),
            ("GET", "/experiments", lambda: self._list("V2beta1ListExperimentsResponse", "experiments", self.experiments, query)),
            ("POST", "/experiments", lambda: self._create_experiment(json.loads(body))),
            ("GET", "/runs", lambda: self._list("V2beta1ListRunsResponse", "runs", self.runs, query)),
            ("POST", "/runs", lambda: self._create_run(json.loads(body))),
            ("GET", "/runs/([^/]+)", self._get_run),
            ("GET", "/recurringruns", lambda: self._list("V2beta1ListRecurringRunsResponse", "recurringRuns", self.recurring, query)),
            ("POST", "/recurringruns", lambda: self._create_recurring(json.loads(body))),
            ("POST", "/recurringruns/([^/:]+):enable", lambda id: self._switch(id, "ENABLED")),
            ("POST", "/recurringruns/([^/:]+):disable", lambda id: self._switch(id, "DISABLED")),
            ("DELETE", "/recurringruns/([^/]+)", self._delete_recurring),
        ]
        for method, pattern, handle in routes:
            found = re.fullmatch(_API + pattern, path)
            if found and method == http.command:
                return handle(*found.groups())
        raise Refused(404, "Not Found")

    def _list(self, model: str, key: str, kept: Mapping[str, dict[str, Any]], query: Mapping[str, str]) -> Any:
        found = list(kept.values())
        for predicate in json.loads(query.get("filter", "{}")).get("predicates", []):
            found = [each for each in found if each[predicate["key"]] == predicate["stringValue"]]
        if "experiment_id" in query:
            found = [each for each in found if each.get("experiment_id") == query["experiment_id"]]
        if self.multi_user and not query.get("namespace") and key != "pipeline_versions":
            raise Refused(400, "A namespace is required in multi-user mode")
        if query.get("sort_by") == "created_at desc":
            found.sort(key=lambda each: each["created_at"], reverse=True)
        begin, size = int(query.get("page_token") or 0), min(self.page, int(query.get("page_size") or self.page))
        rest = str(begin + size) if begin + size < len(found) else None
        return checked(model, {key: found[begin : begin + size], "total_size": len(found), "next_page_token": rest})

    def _create_pipeline(self, given: dict[str, Any]) -> Any:
        if any(each["display_name"] == given["display_name"] for each in self.pipelines.values()):
            raise Refused(409, f"Failed to create a pipeline: AlreadyExistsError: The name {given['display_name']} already exists")
        return self._keep("V2beta1Pipeline", "pipeline_id", self.pipelines, given)

    def _upload(self, headers: Any, body: bytes, query: Mapping[str, str]) -> Any:
        message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
        part = next(each for each in message.iter_parts() if each.get_param("name", header="content-disposition") == "uploadfile")
        if not str(part.get_filename()).endswith(".yaml"):
            raise Refused(400, "unexpected pipeline file format")
        if query["pipelineid"] not in self.pipelines:
            raise Refused(404, "Pipeline not found")
        if any(each["display_name"] == query["name"] for each in self.versions.values()):
            raise Refused(409, f"AlreadyExistsError: the version {query['name']} already exists")
        spec = next(yaml.safe_load_all(part.get_payload(decode=True)))
        given = {"pipeline_id": query["pipelineid"], "display_name": query["name"], "pipeline_spec": spec}
        return self._keep("V2beta1PipelineVersion", "pipeline_version_id", self.versions, given)

    def _versions(self, pipeline_id: str, query: Mapping[str, str]) -> Any:
        kept = {key: each for key, each in self.versions.items() if each["pipeline_id"] == pipeline_id}
        return self._list("V2beta1ListPipelineVersionsResponse", "pipeline_versions", kept, query)

    def _create_experiment(self, given: dict[str, Any]) -> Any:
        return self._keep("V2beta1Experiment", "experiment_id", self.experiments, given)

    def _create_run(self, given: dict[str, Any]) -> Any:
        self._needs(given)
        made = self._keep("V2beta1Run", "run_id", self.runs, {"state": "PENDING", **given})
        self.runs[made["run_id"]]["_script"] = self.scripts.pop(0) if self.scripts else []
        return made

    def _get_run(self, run_id: str) -> Any:
        if run_id not in self.runs:
            raise Refused(404, f"Failed to get a run: ResourceNotFoundError: Run {run_id} not found")
        kept = self.runs[run_id]
        script = kept.get("_script", [])
        shown = {key: value for key, value in kept.items() if key != "_script"} | (script[0] if script else {})
        if len(script) > 1:
            script.pop(0)
        return checked("V2beta1Run", shown)

    def _create_recurring(self, given: dict[str, Any]) -> Any:
        self._needs(given)
        if not 1 <= int(given["max_concurrency"]) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range. Support 1-10")
        if len(given["trigger"]["cron_schedule"]["cron"].split()) != 6:
            raise Refused(400, "Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron)")
        return self._keep("V2beta1RecurringRun", "recurring_run_id", self.recurring, {**given, "status": f"{given['mode']}D"})

    def _switch(self, recurring_run_id: str, status: str) -> Any:
        if recurring_run_id not in self.recurring:
            raise Refused(404, f"Recurring run {recurring_run_id} not found")
        self.recurring[recurring_run_id]["status"] = status
        return {}

    def _delete_recurring(self, recurring_run_id: str) -> Any:
        if self.recurring.pop(recurring_run_id, None) is None:
            raise Refused(404, f"Recurring run {recurring_run_id} not found")
        return {}

    def _needs(self, given: Mapping[str, Any]) -> None:
        version = given["pipeline_version_reference"]["pipeline_version_id"]
        if version not in self.versions:
            raise Refused(404, f"Pipeline version {version} not found")
        if given["experiment_id"] not in self.experiments:
            raise Refused(404, "Experiment not found")
        allowed = self.versions[version]["pipeline_spec"]["root"].get("inputDefinitions", {}).get("parameters", {})
        unknown = set(given.get("runtime_config", {}).get("parameters", {})) - set(allowed)
        if unknown:
            raise Refused(400, f"parameter(s) provided are not required by pipeline: {sorted(unknown)}")

    def _keep(self, model: str, key: str, kept: dict[str, dict[str, Any]], given: dict[str, Any]) -> Any:
        made = (_BEGIN + timedelta(seconds=len(self.requests))).isoformat()
        document = checked(model, {**checked(model, given), key: str(uuid.uuid4()), "created_at": made})
        kept[document[key]] = document
        return document


def checked(model: str, document: Any) -> Any:
    """The document, once every field of it is one that the official client's model has."""
    kind = getattr(kfp_server_api, model)
    unknown = set(document) - set(kind.attribute_map.values())
    if unknown:
        raise Refused(400, f"{model} has no field {sorted(unknown)}")
    types = {kind.attribute_map[name]: text for name, text in kind.openapi_types.items()}
    for key, value in document.items():
        inner = re.fullmatch(r"(list\[)?(\w+)\]?", types[key])
        if inner and getattr(getattr(kfp_server_api, inner.group(2), None), "openapi_types", None):
            for each in value if inner.group(1) else [value]:
                if each is not None:
                    checked(inner.group(2), {name: part for name, part in each.items() if name != "_script"})
    return {key: value for key, value in document.items() if value is not None}


def _send(http: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    http.send_response(status)
    http.send_header("Content-Type", kind)
    http.send_header("Content-Length", str(len(body)))
    if 300 <= status < 400:
        http.send_header("Location", "/dex/auth")
    http.end_headers()
    http.wfile.write(body)
