"""What docs/gateway.md says is so: its configuration, its commands, its headers, its statuses, its metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from msgspec import convert
from msgspec.structs import fields

from configs import gateway as shapes
from configs.gateway import GatewayConfig, Keys
from serving.gateway import api_documents
from serving.gateway.access import Access
from serving.gateway.metrics import Metrics
from serving.gateway.state import check

PAGE = Path(__file__).parents[4] / "docs" / "gateway.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def keys_of(document: object) -> set[str]:
    if isinstance(document, dict):
        return set(document) | set().union(*map(keys_of, document.values()))
    return set().union(*map(keys_of, document)) if isinstance(document, list) else set()


def test_the_configuration_is_one_and_shows_every_key():
    document = yaml.safe_load(blocks("yaml")[0])
    check(convert(document, GatewayConfig))
    structs = [value for value in vars(shapes).values() if isinstance(value, type) and value.__module__ == shapes.__name__]
    # One of keys.file and keys.env is all that there may be.
    assert {field.name for struct in structs for field in fields(struct)} - keys_of(document) == {"env"}


def test_what_it_says_of_defaults_is_so():
    document, limits = yaml.safe_load(blocks("yaml")[0])["limits"], GatewayConfig().limits
    assert document == {name: getattr(limits, name) for name in document}


def test_keys_are_written_as_it_says(tmp_path):
    (tmp_path / "keys.yaml").write_text(blocks("yaml")[1])
    assert not Access(GatewayConfig(keys=Keys(file=str(tmp_path / "keys.yaml")))).is_open


def test_every_status_has_its_row():
    rows = {int(status) for status in re.findall(r"^\| (\d{3}) \|", TEXT, re.MULTILINE)}
    assert set(api_documents.problems()) | {405} == rows


def test_every_metric_has_its_row():
    registered = {family.name for family in Metrics().registry.collect()}
    named = {name.removesuffix("_total") for name in re.findall(r"^\| `(sluiceway_gateway_\w+)`", TEXT, re.MULTILINE)}
    assert named == registered


def test_a_line_of_the_log_is_one(front):
    front.rest.predict("half", '{"instances": [1.0]}')
    shown = json.loads(blocks("json")[1])
    assert any(line.keys() == shown.keys() for line in front.lines())


def test_the_lines_for_curl_work(front, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (.ci/run installs it)")
    lines = [line for line in blocks("sh")[1].splitlines() if line.startswith("curl")]
    (tmp_path / "row.json").write_text('{"instances": [1.0]}')
    for line in (lines[0], *(line.replace("version: 3", "version: 1").replace("taxi", "half") for line in lines[2:])):
        command = f"export no_proxy='*'\nGATEWAY={front.address}\n{line}"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "x-model-version: 1" in done.stdout


def test_the_lines_for_python_work(front, tmp_path):
    (tmp_path / "row.json").write_text('{"instances": [1.0]}')
    code = blocks("python")[0].replace("http://localhost:8080", front.address).replace("models/taxi", "models/half")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60, env={"NO_PROXY": "*"})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3.5 2\n"


def test_the_row_is_one_of_the_use_case():
    assert json.loads(blocks("json")[0])["instances"] == [api_documents.TAXI]
