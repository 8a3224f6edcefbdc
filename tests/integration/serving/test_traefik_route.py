"""The cluster's IngressRoute in a real Traefik: its route, middleware and transport, read from a file instead of the Kubernetes API."""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from serving.launchers.readiness import wait_for
from tests.house.tree import ROOT

MANIFEST = ROOT / "serving/deploy/kubernetes/components/traefik/route.yaml"
HOST = "sluiceway.example.org"


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Traefik whose only route is the manifest's."""
    folder = tmp_path_factory.mktemp("traefik")
    kinds = {item["kind"]: item for item in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))}
    (route,) = kinds["IngressRoute"]["spec"]["routes"]
    (service,) = route["services"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway, socket.create_server(("127.0.0.1", 0)) as free:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        port = free.getsockname()[1]
        free.close()
        router = {
            "rule": route["match"],
            "middlewares": [item["name"] for item in route["middlewares"]],
            "service": service["name"],
            "entryPoints": kinds["IngressRoute"]["spec"]["entryPoints"],
            "tls": kinds["IngressRoute"]["spec"]["tls"],
        }
        balancer = {"servers": [{"url": f"http://127.0.0.1:{gateway.server_port}"}], "serversTransport": service["serversTransport"]}
        routes = {
            "routers": {"gateway": router},
            "services": {service["name"]: {"loadBalancer": balancer}},
            "middlewares": {kinds["Middleware"]["metadata"]["name"]: kinds["Middleware"]["spec"]},
            "serversTransports": {kinds["ServersTransport"]["metadata"]["name"]: kinds["ServersTransport"]["spec"]},
        }
        (folder / "routes.yaml").write_text(yaml.safe_dump({"http": routes}), encoding="utf-8")
        flags = [f"--entryPoints.websecure.address=127.0.0.1:{port}", f"--providers.file.filename={folder / 'routes.yaml'}"]
        quiet = ["--log.level=WARN", "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]
        with (folder / "log").open("wb") as log:
            program = subprocess.Popen([Path(sys.executable).with_name("traefik"), *flags, *quiet], stdout=log, stderr=log, cwd=folder)
        try:
            wait_for(lambda: ask(port, "/ready") == (200, "/ready") or None, program.poll, what="Traefik routed", deadline_seconds=60)
            assert "ERR" not in (folder / "log").read_text()
            yield port
        finally:
            program.terminate()
            program.wait(30)
            gateway.shutdown()


def ask(port: int, path: str, host: str = HOST) -> tuple[int, str]:
    """Status and body; the path goes as it is."""
    status, _, body = raw(port, path, host).partition(b"\r\n\r\n")
    return int(status.split()[1]) if status else 0, body.decode()


def raw(port: int, path: str, host: str = HOST) -> bytes:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # Traefik's default certificate
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            anybody.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:  # not yet
        return b""


@pytest.mark.parametrize("path", ["/", "/v1/models/taxi:predict", "/models?x=1", "/metricsx"])
def test_what_is_asked_reaches_the_gateway(traefik, path):
    assert ask(traefik, path) == (200, path)


@pytest.mark.parametrize("path", ["/metrics", "/metrics?x", "//metrics", "/./metrics", "/x/../metrics", "/%6detrics"])
def test_no_way_of_writing_it_reaches_the_metrics(traefik, path):
    assert ask(traefik, path)[0] == 404


def test_another_host_is_not_ours(traefik):
    assert ask(traefik, "/", host="elsewhere.example.org")[0] == 404


def test_the_answers_carry_the_middleware_s_headers(traefik):
    head = raw(traefik, "/").partition(b"\r\n\r\n")[0].decode().lower()
    assert "strict-transport-security: max-age=31536000" in head
    assert "x-content-type-options: nosniff" in head
    assert "\r\nserver:" not in head
