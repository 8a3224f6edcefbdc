"""Text files: read, or refused in one line."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from serving.protocol.status import Code, StatusError
from serving.server.schemas import texts

SSL = "tensorflow.serving.SSLConfig"


def test_a_missing_file_is_named_with_its_reason(tmp_path):
    with pytest.raises(StatusError) as caught:
        texts.read_file(str(tmp_path / "none"))
    assert (caught.value.code, caught.value.message) == (Code.NOT_FOUND, f"{tmp_path / 'none'}; No such file or directory")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StatusError, match="; Is a directory"):
        texts.read_file(str(tmp_path))


def test_a_file_that_is_no_text_is_no_protobuf_file(tmp_path, caplog):
    (tmp_path / "f").write_bytes(b"a: \xff")
    with pytest.raises(StatusError, match=r"Invalid protobuf file: '.*f'") as caught:
        texts.read_file(str(tmp_path / "f"))
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "byte 3 is not UTF-8" in caplog.text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no_such: 1", ' 1:1: Message type "tensorflow.serving.MonitoringConfig" has no field named "no_such".'),
        ("\n  prometheus_config { enable: maybe }", " 2:31: "),
        ("prometheus_config {", ' 1:19: Expected "}"'),
        ('prometheus_config { path: "\\xff" }', " 1:34: "),
    ],
)
def test_what_is_wrong_is_logged_as_protobuf_says_it_and_chained(caplog, text, line):
    with pytest.raises(StatusError) as caught:
        texts.parse(text, "tensorflow.serving.MonitoringConfig", "a file")
    assert caught.value.message == "Invalid protobuf file: 'a file'"
    assert isinstance(caught.value.__cause__, text_format.ParseError)
    assert caplog.messages[0].startswith("Error parsing text-format tensorflow.serving.MonitoringConfig:" + line)


def test_an_unknown_type_of_an_any_is_refused(caplog):
    with pytest.raises(StatusError, match="Invalid protobuf file"):
        texts.parse("custom_model_config { [type.googleapis.com/a.B] {} }", "tensorflow.serving.ModelServerConfig", "f")
    assert "a.B" in caplog.text


@pytest.mark.parametrize("text", ['server_key: "KEY" server_cert: 5', "server_key: KEY", 'server_key: "KEY', "KEY: 1"])
def test_no_piece_of_a_secret_file_is_shown(caplog, text):
    with pytest.raises(StatusError, match="Invalid protobuf file: 'f'") as caught:
        texts.parse(text, SSL, "f", secret=True)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "Error parsing text-format tensorflow.serving.SSLConfig: 1:" in caplog.text
    assert "KEY" not in caplog.text
