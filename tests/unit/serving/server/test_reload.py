"""Which lists of models are refused, in upstream's words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server.model_config import ModelConfig
from serving.server.reload import base_directory, check_list, check_platforms, check_supported, new_names, not_available

A, B = ModelConfig("a", "/models/a"), ModelConfig("b", "/models/b")
NEITHER = "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, model name is {}"


def refusal(check, *lists) -> str:
    with pytest.raises(StatusError) as caught:
        check(*lists)
    assert caught.value.code is Code.INVALID_ARGUMENT
    return caught.value.message


def test_good_lists_are_taken():
    for configs in ((), (A, B)):
        check_list(configs)
        check_platforms((), configs)
        check_platforms((B,), configs)
        check_supported(configs)


def test_a_model_is_listed_once():
    assert refusal(check_list, (A, B, A)) == "Illegal to list model a multiple times in config list"


def test_a_model_has_a_name_unless_strict():
    nameless = replace(A, name="")
    assert refusal(check_list, (B, nameless)) == "the model at /models/a has no name: no request could ask for it"
    check_list((B, nameless), strict=True)


@pytest.mark.parametrize("path", ["", "models/a", "./a", "file:/models/a", "file://", "C:/models"])
def test_a_base_path_is_absolute(path):
    expected = f"Expected model a to have an absolute path or URI; got base_path()={path}"
    assert refusal(check_list, (replace(A, base_path=path),)) == expected


def test_duplicates_come_before_paths():
    assert "multiple times" in refusal(check_list, (replace(A, base_path="x"), A))


@pytest.mark.parametrize(("path", "folder"), [("/models/a", "/models/a"), ("file:///models/a", "/models/a"), ("file://host/m", "/m")])
def test_files_may_be_named_by_uri(path, folder):
    assert base_directory(replace(A, base_path=path)) == Path(folder)


def test_another_file_system_is_refused_by_name():
    text = refusal(check_list, (replace(A, base_path="gs://bucket/a"),))
    assert text == (
        "model a: base_path gs://bucket/a is at gs://, and this server reads local file systems only; "
        "give an absolute path or a file:// URI"
    )


def test_a_platform_is_named_and_stays():
    other = replace(A, platform="caffe")
    assert refusal(check_platforms, (A,), (other,)) == (
        "Illegal to change a model's platform. For model a platform was tensorflow and new platform requested is caffe"
    )
    assert refusal(check_platforms, (), (replace(A, platform=""),)) == NEITHER.format("a")
    assert refusal(check_platforms, (replace(B, platform=""),), (A,)) == NEITHER.format("b")


def test_only_tensorflow_is_served():
    assert refusal(check_supported, (A, replace(B, platform="caffe"))) == "Model b requests unsupported platform caffe"
    assert refusal(check_supported, (replace(A, platform=""),)) == NEITHER.format("a")


def test_new_models_are_those_by_a_new_name():
    assert new_names((A,), (replace(A, base_path="/other"), B)) == ["b"]


def test_what_did_not_come_up_is_told_as_upstream_does():
    failures = {
        "m": [VersionStatus(2, State.END, Code.DATA_LOSS, "cut off"), VersionStatus(0, State.END, Code.NOT_FOUND, "empty")],
        "a": [VersionStatus(1, State.END)],
    }
    assert not_available("servable", failures) == (
        "3 servable(s) did not become available: {{{name: a version: 1}}, {{name: m version: 2} due to error: DATA_LOSS: cut off}, "
        "{{name: m} due to error: NOT_FOUND: empty}, }"
    )
