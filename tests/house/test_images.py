"""The Dockerfiles keep their promises on paper; tests/e2e/test_images.py asks the images themselves."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT

DEPLOY = ROOT / "serving" / "deploy"
NAMES = ("pipeline", "server", "gateway")
Line = tuple[str, str]


@dataclass
class Stage:
    """One FROM with what stands below it."""

    name: str
    base: str
    lines: list[Line] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for word, rest in self.lines if word == instruction]


def instructions(text: str) -> list[Line]:
    """Instruction and argument of each line, continued lines joined, comments left out."""
    whole = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", whole)
    return [(word.upper(), rest.strip()) for line in joined.splitlines() if line.strip() for word, _, rest in [line.partition(" ")]]


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile; the last one is the image."""
    found: list[Stage] = []
    for word, rest in instructions(text):
        if word == "FROM":
            base, _, name = re.sub(r"\s+(?i:as)\s+", " ", rest).partition(" ")
            found.append(Stage(name, base))
        elif found:
            found[-1].lines.append((word, rest))
    return found


def broken_promises(text: str) -> list[str]:
    """What a Dockerfile of ours must not do, and does."""
    parts = stages(text)
    image, names = parts[-1], {part.name for part in parts if part.name}
    lineage = [image, *(part for part in parts if part.name == image.base)]
    found = []
    for part in parts:
        if part.base not in {*names, "scratch"} and not re.fullmatch(r"\$\{\w+\}", part.base):
            found.append(f"{part.base} is no build argument")
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", (image.all("USER") or ["0"])[-1]):
        found.append("the image runs as root, or as a name that a cluster cannot check")
    runs = [run for part in parts for run in part.all("RUN")]
    found += [f"not from the lock: {run}" for run in runs if "uv sync" in run and "--frozen" not in run]
    if any(
        re.search(r"(?<!\S)(g\+\+|gcc|build-essential|\S+-dev)(?!\S)|uv sync|pip install", run)
        for part in lineage
        for run in part.all("RUN")
    ):
        found.append("the image itself is built with tools that stay in it")
    copies = image.all("COPY")
    order = [next((at for at, copy in enumerate(copies) if copy.startswith(f"--from={name} ")), -1) for name in ("dependencies", "code")]
    if -1 in order or order != sorted(order):
        found.append("the code's layer does not stand upon the dependencies' one")
    labels = " ".join(image.all("LABEL"))
    found += [f"no label {name}" for name in ("revision", "version") if f"org.opencontainers.image.{name}=" not in labels]
    found += [f"{word} holds what may be secret: {rest}" for word, rest in instructions(text) if word in ("ARG", "ENV") and secret(rest)]
    return found


def secret(text: str) -> bool:
    """Whether an ARG or ENV is called like something nobody else may know, or names a registry."""
    return bool(re.search(r"(?i)token|password|secret|credential|https?://", text))


def let_through(ignore: str, path: str) -> bool:
    """Whether a path of the checkout reaches the builder: .dockerignore's last matching line decides."""
    verdict = True
    for line in ignore.splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        plain = pattern.removeprefix("**/")
        if any(fnmatch(each, pattern) or (plain != pattern and fnmatch(Path(each).name, plain)) for each in parents):
            verdict = line.strip().startswith("!")
    return verdict


def dockerfile(name: str) -> str:
    return (DEPLOY / f"{name}.Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_keeps_its_promises(name):
    assert broken_promises(dockerfile(name)) == []


def test_all_images_share_the_layers_they_can_share():
    first, *others = ({stage.name: stage for stage in stages(dockerfile(name))} for name in NAMES)
    for other in others:
        assert [other[name] for name in ("python", "builder", "needs")] == [first[name] for name in ("python", "builder", "needs")]


@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_copied_is_there_and_let_through(name):
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    sources = [
        source for stage in stages(dockerfile(name)) for copy in stage.all("COPY") if "--from" not in copy for source in copy.split()[:-1]
    ]
    assert set(PACKAGES) <= set(sources)
    assert [source for source in sources if not ((ROOT / source).exists() and let_through(ignore, source))] == []


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", "state/store/taxi", "tests/conftest.py", "serving/__pycache__/cli.pyc", "x.pem"]
)
def test_nothing_else_reaches_the_builder(path):
    assert not let_through((ROOT / ".dockerignore").read_text(encoding="utf-8"), path)


def test_versions_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', project, flags=re.MULTILINE)
    uv = re.search(r"^UV_PIN=(\S+)", (ROOT / "bootstrap.sh").read_text(encoding="utf-8"), flags=re.MULTILINE)
    serving = re.search(r'^_TF_SERVING = "(.+)"', (ROOT / "configs/environment.py").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert version
    assert uv
    assert serving
    for name in NAMES:
        assert {f"ARG VERSION={version[1]}", f"ARG UV={uv[1]}"} <= set(dockerfile(name).splitlines())
    assert f"ARG TF_SERVING={serving[1]}" in dockerfile("pipeline").splitlines()


def test_the_scripts_are_plain_sh_and_may_be_run():
    scripts = [path for path in DEPLOY.iterdir() if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")]
    assert len(scripts) == 3
    for script in scripts:
        subprocess.run(["sh", "-n", str(script)], check=True)
        assert script.stat().st_mode & 0o111 == 0o111, script.name


GOOD = dockerfile("server")


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ("FROM ${BASE} AS python", "FROM debian:trixie AS python", "debian:trixie is no build argument"),
        ("USER 10001:10001", "USER sluiceway", "the image runs as root, or as a name that a cluster cannot check"),
        ("USER 10001:10001\n", "", "the image runs as root, or as a name that a cluster cannot check"),
        (" --frozen", "", "not from the lock"),
        ("libstdc++6 python3 ", "libstdc++6 python3 g++ ", "the image itself is built with tools that stay in it"),
        ("COPY --from=dependencies /opt/venv /opt/venv\n", "", "the code's layer does not stand upon the dependencies' one"),
        ("image.revision", "image.commit", "no label revision"),
        ("ARG VERSION", "ARG INDEX=https://packages.example.org\nARG VERSION", "ARG holds what may be secret"),
    ],
)
def test_a_broken_promise_is_reported(old, new, promise):
    assert GOOD.count(old) >= 1
    assert any(line.startswith(promise) for line in broken_promises(GOOD.replace(old, new)))
