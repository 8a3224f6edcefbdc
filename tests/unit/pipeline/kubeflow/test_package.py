"""A compiled pipeline is known by its content."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from pipeline.kubeflow.package import read, read_file
from tests.fakes.kfp_api import package_text


def test_a_package_tells_its_name_and_parameters():
    package = read(package_text("taxi"), source="x")
    assert package.name == "taxi"
    assert package.parameters == {"data", "store", "budget", "thresholds"}


def test_the_version_is_the_content():
    one, same, other = (read(package_text("taxi", comment), source="x").version for comment in ("a", "a", "b"))
    assert one == same != other
    assert one.startswith("taxi-")


def test_settings_of_the_platform_in_a_second_document_are_no_matter():
    assert read(package_text() + "---\nplatforms: {}\n", source="x").name == "taxi"


BAD_DATE = "a: 2024-13-01"
BAD_INPUTS = "pipelineInfo: {name: x}\nroot: {inputDefinitions: {parameters: 3}}"


@pytest.mark.parametrize("text", ["", "a: [", "just text", "a: 1", "pipelineInfo: {name: x}", "- 1", BAD_DATE, BAD_INPUTS])
def test_what_is_no_pipeline_is_refused(text):
    with pytest.raises(UsageError, match=r"x\.yaml is no compiled KFP v2 pipeline"):
        read(text, source="x.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.yaml: cannot be read: No such file"):
        read_file(str(tmp_path / "gone.yaml"))
    (tmp_path / "model.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"model\.bin is no text"):
        read_file(str(tmp_path / "model.bin"))
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_file(str(tmp_path))
    with pytest.raises(UsageError, match="--file is empty"):
        read_file("")
