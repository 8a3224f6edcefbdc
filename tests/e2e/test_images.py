"""The images do what their Dockerfiles say: no root, no compiler, TF Serving's names, answers that are the trainer's.

The images are built before (.ci/docker build) and named by ``SLUICEWAY_TEST_SERVER_IMAGE``, ``..._PIPELINE_IMAGE``, ``..._GATEWAY_IMAGE``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import golden
from serving.clients import load as load_client
from serving.launchers.readiness import wait_for
from tests.e2e.command import Ended

IMAGES = {kind: f"SLUICEWAY_TEST_{kind.upper()}_IMAGE" for kind in ("server", "pipeline", "gateway")}


def docker(*arguments: str, code: int = 0) -> str:
    """What a docker command printed; it must end with this code."""
    ended = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, f"docker {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
    return ended.stdout.strip()


def image_of(kind: str) -> str:
    """The image under test."""
    if not (image := os.environ.get(IMAGES[kind])):
        pytest.skip(f"{IMAGES[kind]} names no image (.ci/docker build makes it)")
    return image


@pytest.fixture
def pipeline_image() -> str:
    return image_of("pipeline")


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    return image_of(request.param)


def inside(image: str, script: str) -> str:
    """What a shell script prints inside an image."""
    return docker("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script)


def test_an_image_is_nobody_in_particular(image: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", docker("inspect", "--format={{.Config.User}}", image))
    assert inside(image, "id -u; id -g") == "10001\n10001"


def test_nothing_that_an_image_runs_can_be_changed_from_inside(image: str) -> None:
    assert inside(image, "find /bin/ /etc /opt /usr -writable ! -type l 2>/dev/null || true") == ""
    assert inside(image, 'touch "$HOME/here" && echo "$HOME"') == "/var/lib/sluiceway"


def test_an_image_carries_no_compiler_and_no_installer(image: str) -> None:
    assert inside(image, "command -v cc c++ gcc g++ ld make uv pip || true") == ""


def test_an_image_says_what_it_was_built_from(image: str) -> None:
    labels: dict[str, Any] = json.loads(docker("inspect", "--format={{json .Config.Labels}}", image))
    commit, version = (labels[f"org.opencontainers.image.{name}"] for name in ("revision", "version"))
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", commit)
    assert inside(image, "sluiceway --version").split()[-1] == version


def test_every_module_of_ours_is_compiled(image: str) -> None:
    sources = inside(image, "cd /opt/sluiceway && find . -name '*.py' | wc -l")
    assert inside(image, "cd /opt/sluiceway && find . -name '*.pyc' | wc -l") == sources != "0"


def test_the_gateway_image_is_small_and_knows_no_tensorflow() -> None:
    image = image_of("gateway")
    assert int(docker("inspect", "--format={{.Size}}", image)) < 200_000_000
    libraries = "import cryptography, fastapi, grpc, httptools, jwt, numpy, opentelemetry.sdk, PIL.Image, prometheus_client, uvloop"
    assert inside(image, f"python -c '{libraries}; print(numpy.dot([1.0], [2.0]))'") == "2.0"
    assert inside(image, "python -c 'import tensorflow' 2>&1 | tail -n 1") == "ModuleNotFoundError: No module named 'tensorflow'"
    assert inside(image, "find / -xdev -type f -perm /6000 2>/dev/null || true") == "", "nothing becomes another user"


def test_the_gateway_image_is_the_gateway_and_can_write_a_stack() -> None:
    image = image_of("gateway")
    assert docker("run", "--rm", "--network=none", image, "--help").startswith("Usage: ")
    written = inside(image, "cd /tmp && sluiceway deploy render taxi --unseen -o out && ls out")
    assert "kustomization.yaml" in written.split()


@pytest.mark.parametrize("arguments", [["--help"], ["step", "--help"], ["sluiceway", "--help"], ["python", "-m", "pipeline", "--help"]])
def test_the_pipeline_image_is_the_command(pipeline_image: str, arguments: list[str]) -> None:
    assert docker("run", "--rm", "--network=none", pipeline_image, *arguments).startswith("Usage: ")


def test_the_pipeline_image_keeps_the_exit_codes(pipeline_image: str) -> None:
    docker("run", "--rm", "--network=none", pipeline_image, "no-such-verb", code=2)


def test_the_pipeline_image_carries_the_model_server(pipeline_image: str) -> None:
    assert inside(pipeline_image, "tensorflow_model_server --version").startswith("TensorFlow ModelServer: ")


class Server:
    """A container of the server image that serves a store, and where it answers."""

    def __init__(self, image: str, store: Path) -> None:
        published = ["--publish=127.0.0.1::8500", "--publish=127.0.0.1::8501"]
        hardened = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        mounted = [f"--volume={store}:/models:ro", "--env=MODEL_NAME=taxi"]
        self.container = docker("run", "--detach", *published, *hardened, *mounted, image)

    def wait(self) -> None:
        """Until Docker itself calls it healthy, which the image's HEALTHCHECK decides."""
        wait_for(lambda: self._state("Health.Status") == "healthy" or None, self._ended, what="it was healthy", deadline_seconds=120)

    def address(self, port: int) -> str:
        return docker("port", self.container, str(port)).splitlines()[0]

    def stop(self) -> str:
        """Its exit code after Docker's usual SIGTERM."""
        docker("stop", "--time=20", self.container)
        return self._state("ExitCode")

    def remove(self) -> None:
        docker("rm", "--force", self.container)

    def _state(self, name: str) -> str:
        return docker("inspect", f"--format={{{{.State.{name}}}}}", self.container)

    def _ended(self) -> int | None:
        return None if self._state("Running") == "true" else int(self._state("ExitCode"))


@pytest.fixture
def store(first_run: tuple[Path, Ended]) -> Path:
    state, ended = first_run
    assert ended.code == 0, ended.err
    return state / "store"


@pytest.fixture
def server(store: Path) -> Iterator[Server]:
    running = Server(image_of("server"), store)
    try:
        running.wait()
        yield running
    finally:
        running.remove()


def test_the_server_image_answers_as_the_trainer_did(server: Server, store: Path) -> None:
    request = next(request for request in golden.read(store / "taxi" / "1") if request.signature == "predict")
    for transport, address in (("rest", f"http://{server.address(8501)}"), ("grpc", server.address(8500))):
        with load_client(transport)(address) as client:
            outputs = client.predict("taxi", request.inputs, signature=request.signature)
        assert sorted(outputs) == sorted(request.outputs), transport
        for name, expected in request.outputs.items():
            if expected.dtype.kind == "f":
                np.testing.assert_allclose(outputs[name], expected, atol=1e-5, err_msg=transport)
            else:
                assert outputs[name].tolist() == expected.tolist(), transport


def test_the_server_image_ends_in_peace(server: Server) -> None:
    assert server.stop() == "0"
