"""A Kubernetes API server for CronJobs, Jobs and Pods, over real HTTP: in memory, with optimistic locking and failures on demand."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

KINDS = {"cronjobs": "CronJob", "jobs": "Job", "pods": "Pod"}


class FakeKubernetes:
    """Serves until closed. `fail` makes the next calls of a method end with a status; `calls` are the requests so far."""

    def __init__(self, folder: Path) -> None:
        self.objects: dict[tuple[str, str, str], dict] = {}
        self.calls: list[tuple[str, str]] = []
        self.failures: list[tuple[str, int | float]] = []
        self.before_write = None
        self._version = 100
        fake = self

        class Handler(_Handler):
            kubernetes = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.kubeconfig = folder / "kubeconfig.json"
        cluster = {"name": "fake", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}
        context = {"name": "fake", "context": {"cluster": "fake", "user": "someone"}}
        user = {"name": "someone", "user": {"token": "a-token"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "contexts": [context],
            "users": [user],
            "current-context": "fake",
        }
        self.kubeconfig.write_text(json.dumps(config), encoding="utf-8")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, method: str, status: float, times: int = 1) -> None:
        """The next calls of this method end with this status; one below 1 is a silence of so many seconds instead."""
        self.failures += [(method, status)] * times

    def cron_job(self, name: str = "taxi", namespace: str = "default") -> dict:
        return self.objects["cronjobs", namespace, name]

    def put(self, kind: str, document: dict) -> dict:
        """Keep an object as the API server does: with a uid, a time and a version."""
        meta = document.setdefault("metadata", {})
        self._version += 1
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        meta.setdefault("namespace", "default")
        meta["resourceVersion"] = str(self._version)
        self.objects[kind, meta["namespace"], meta["name"]] = document
        return document

    def job(self, name: str, of: str = "taxi", *, at: str, end: str = "Complete", words: str = "", **condition: str) -> None:
        """A job that a CronJob made, with its pod's last words."""
        labels = {"app.kubernetes.io/managed-by": "sluiceway", "sluiceway/schedule": of}
        status = {"conditions": [{"type": end, "status": "True", **condition}]} if end else {"active": 1}
        self.put("jobs", {"metadata": {"name": name, "labels": labels, "creationTimestamp": at}, "status": status})
        if words:
            terminated = {"exitCode": 0, "message": words}
            states = [{"name": "run", "image": "i", "imageID": "i", "ready": False, "restartCount": 0, "state": {"terminated": terminated}}]
            labels = {**labels, "job-name": name}
            self.put("pods", {"metadata": {"name": f"{name}-x", "labels": labels}, "status": {"containerStatuses": states}})


class _Handler(BaseHTTPRequestHandler):
    kubernetes: FakeKubernetes
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, code: int, document: dict) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        # One request a connection, so that none is left open when a test ends.
        self.send_header("Connection", "close")
        self.end_headers()
        # Whoever asked may have given up by now.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)

    def _fail(self, code: int, reason: str) -> None:
        self._answer(code, {"kind": "Status", "status": "Failure", "message": reason, "code": code})

    def _handle(self) -> None:
        fake, method = self.kubernetes, self.command
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        fake.calls.append((method, url.path))
        if self.headers.get("Authorization") != "Bearer a-token":
            return self._fail(401, "Unauthorized")
        for failure in fake.failures:
            if failure[0] == method:
                fake.failures.remove(failure)
                if failure[1] >= 1:
                    return self._fail(int(failure[1]), f"told to fail with {failure[1]}")
                time.sleep(failure[1])
        if method in {"PUT", "POST"} and fake.before_write:
            action, fake.before_write = fake.before_write, None
            action()
        _, _, rest = url.path.partition("/namespaces/")
        namespace, kind, *name = rest.split("/")
        if name:
            return self._one(kind, (kind, namespace, name[0]), body)
        return self._many(kind, namespace, parse_qs(url.query), body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _many(self, kind: str, namespace: str, query: dict[str, list[str]], body: dict) -> None:
        fake = self.kubernetes
        if self.command == "POST":
            if (kind, namespace, body["metadata"]["name"]) in fake.objects:
                return self._fail(409, f'{kind} "{body["metadata"]["name"]}" already exists')
            return self._answer(201, fake.put(kind, body))
        wanted = [part.partition("=")[::2] for part in query.get("labelSelector", [""])[0].split(",") if part]
        found = [
            document
            for (of, where, _), document in fake.objects.items()
            if (of, where) == (kind, namespace)
            and all(label in (labels := document["metadata"].get("labels", {})) and value in {"", labels[label]} for label, value in wanted)
        ]
        return self._answer(200, {"kind": f"{KINDS[kind]}List", "items": found})

    def _one(self, kind: str, key: tuple[str, str, str], body: dict) -> None:
        fake = self.kubernetes
        there = fake.objects.get(key)
        if there is None:
            return self._fail(404, f'{kind} "{key[2]}" not found')
        if self.command == "DELETE":
            del fake.objects[key]
            if parse_qs(urlsplit(self.path).query).get("propagationPolicy") != ["Orphan"]:
                fake.objects = {other: document for other, document in fake.objects.items() if not _owned(document, there)}
            return self._answer(200, {"kind": "Status", "status": "Success"})
        if self.command == "PUT":
            if body["metadata"].get("resourceVersion") != there["metadata"]["resourceVersion"]:
                return self._fail(409, "the object has been modified; please apply your changes to the latest version and try again")
            body["metadata"]["uid"] = there["metadata"]["uid"]
            return self._answer(200, fake.put(kind, body))
        if self.command == "PATCH":
            if "merge-patch" not in self.headers["Content-Type"]:
                return self._fail(415, f"content type {self.headers['Content-Type']}")
            return self._answer(200, fake.put(kind, _merged(there, body)))
        return self._answer(200, there)


def _owned(document: dict, owner: dict) -> bool:
    return any(one["uid"] == owner["metadata"]["uid"] for one in document["metadata"].get("ownerReferences", []))


def _merged(old: dict, change: dict) -> dict:
    new = dict(old)
    for key, value in change.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = _merged(new.get(key) or {}, value) if isinstance(value, dict) else value
    return new
