"""A cluster of one machine: the few calls of the Kubernetes API that launchers make, over real HTTP, with processes as pods.

A pod is our own server under TF Serving's entry point, on an address of the loopback network that is its own. ``claim`` is a folder.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

_numbers = itertools.count(1)


@dataclass
class Pod:
    """A pod, and the process that is its container; none when the image is "missing"."""

    manifest: dict[str, Any]
    root: Path
    address: str
    process: subprocess.Popen[bytes] | None
    # What a test says the cluster made of it, in place of the process's own state.
    state: dict[str, Any] | None = None

    @property
    def log(self) -> str:
        text = (self.root / "log").read_text(encoding="utf-8", errors="replace") if (self.root / "log").exists() else ""
        return text.replace(str(self.root), "")

    def as_json(self) -> dict[str, Any]:
        code = self.process.poll() if self.process is not None else None
        if self.state is not None:
            state = self.state
        elif self.process is None:
            state = {"waiting": {"reason": "ErrImagePull", "message": "no such image: it is not in the registry"}}
        elif code is None:
            state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        else:
            state = {"terminated": {"exitCode": code, "reason": "Error"}}
        phase = "Pending" if "waiting" in state else "Running" if "running" in state else "Failed"
        container = {"name": "server", "image": "i", "imageID": "", "ready": True, "restartCount": 0, "state": state}
        return {**self.manifest, "status": {"phase": phase, "podIP": self.address, "containerStatuses": [container]}}

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class FakeCluster:
    """What the API server knows. ``refuse`` maps "METHOD path-pattern" to a status and a message."""

    scratch: Path
    claims: dict[str, Path]
    pods: dict[str, Pod] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def write_kubeconfig(self, path: Path) -> None:
        """A configuration whose current context is this cluster."""
        named = {"clusters": ("cluster", {"server": self.url}), "users": ("user", {"token": "t"})}
        content: dict[str, Any] = {kind: [{"name": "fake", key: value}] for kind, (key, value) in named.items()}
        content["contexts"] = [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}]
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "fake", **content}), encoding="utf-8")

    def add(self, manifest: Mapping[str, Any], *, run: bool = True) -> Pod:
        """Make a pod, as the API server, the scheduler and the kubelet do together."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {"uid": f"uid-{next(_numbers)}", "creationTimestamp": now, **manifest["metadata"]}
        number = next(_numbers)
        address = f"127.{os.getpid() % 250 + 1}.{number // 250}.{number % 250 + 1}"
        root = self.scratch / metadata["name"]
        root.mkdir()
        pod = Pod({**manifest, "metadata": metadata}, root, address, None)
        if run and not manifest["spec"]["containers"][0]["image"].startswith("missing/"):
            pod.process = self._run(pod)
        self.pods[metadata["name"]] = pod
        return pod

    def _run(self, pod: Pod) -> subprocess.Popen[bytes]:
        (container,), spec = pod.manifest["spec"]["containers"], pod.manifest["spec"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for mount in container["volumeMounts"]:
            claim = volumes[mount["name"]].get("persistentVolumeClaim")
            if claim is not None:
                place = pod.root / mount["mountPath"].lstrip("/")
                place.parent.mkdir(parents=True)
                place.symlink_to(self.claims[claim["claimName"]] / mount["subPath"])
        env = {item["name"]: item["value"] for item in container["env"]}
        base = pod.root / env["MODEL_BASE_PATH"].lstrip("/") / env["MODEL_NAME"]
        entry = ["--port=8500", "--rest_api_port=8501", f"--model_name={env['MODEL_NAME']}", f"--model_base_path={base}"]
        with (pod.root / "log").open("wb") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "serving.server",
                    f"--bind={pod.address}",
                    f"--parent_pid={os.getpid()}",
                    *entry,
                    *container["args"],
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "CUDA_VISIBLE_DEVICES": "-1"},
            )

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: Any) -> tuple[int, Any]:
        """One call: its status, and a JSON document or a text."""
        self.calls.append((method, path))
        for what, (status, message) in self.refuse.items():
            if re.fullmatch(what, f"{method} {path}"):
                return status, failure(status, message)
        pods = re.fullmatch(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+)(/log)?)?", path)
        metrics = re.fullmatch(r"/apis/metrics.k8s.io/v1beta1/namespaces/[^/]+/pods/([^/]+)", path)
        name = metrics[1] if metrics else pods[2] if pods else None
        if name is not None and name not in self.pods:
            return 404, failure(404, f'pods "{name}" not found')
        if metrics:
            return 200, {"containers": [{"name": "server", "usage": {"memory": f"{self._memory(metrics[1]) // 1024}Ki"}}]}
        if pods is None:
            return 404, failure(404, f"no such path: {path}")
        if name is None:
            return self._collection(method, query, body)
        if pods[3]:
            return 200, self.pods[name].log
        if method == "DELETE":
            self.pods[name].end()
            return 200, self.pods.pop(name).as_json()
        return 200, self.pods[name].as_json()

    def _collection(self, method: str, query: Mapping[str, list[str]], body: Any) -> tuple[int, Any]:
        if method == "POST":
            self.created.append(body)
            return 201, self.add(body).as_json()
        wanted = dict(part.split("=") for part in query.get("labelSelector", [""])[0].split(",") if part)
        found = [pod for pod in self.pods.values() if wanted.items() <= pod.manifest["metadata"].get("labels", {}).items()]
        return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod.as_json() for pod in found]}

    def _memory(self, name: str) -> int:
        process = self.pods[name].process
        return int(psutil.Process(process.pid).memory_info().rss) if process is not None else 0


def failure(status: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}


@contextlib.contextmanager
def cluster(scratch: Path, claims: dict[str, Path]) -> Iterator[FakeCluster]:
    """A cluster that answers at its ``url`` for the time of a block."""
    fake = FakeCluster(scratch, claims)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = fake.answer(self.command, url.path, parse_qs(url.query), json.loads(body) if body else None)
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
            for pod in fake.pods.values():
                pod.end()
