"""Which models are served: by flags, by a file, by later looks at the file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from configs.errors import SluicewayError
from serving.protocol.status import Code, StatusError
from serving.server.config_file import ConfigFile, configured
from serving.server.flags import Flags
from serving.server.model_config import ModelConfig

ENTRY = 'config { name: "%s" base_path: "/models/%s" model_platform: "tensorflow" }'


def write(path: Path, *names: str) -> str:
    entries = "".join(ENTRY % (name, name) for name in names)
    path.write_text(f"model_config_list {{ {entries} }}" if names else "")
    return str(path)


def config(name: str) -> ModelConfig:
    return ModelConfig(name, f"/models/{name}")


@pytest.mark.parametrize(
    ("flags", "base_path"),
    [
        (Flags(model_name="m", model_base_path="/a/b"), "/a/b"),
        (Flags(model_name="m", model_base_path="a/b"), "{here}/a/b"),
        (Flags(model_name="m", model_base_path="s3://a/b"), "s3://a/b"),
        (Flags(model_name="m", model_base_path="a/b", compat="strict"), "a/b"),
    ],
)
def test_flags_name_one_model(flags, base_path):
    assert configured(flags) == (ModelConfig("m", base_path.format(here=Path.cwd())),)


def test_a_file_comes_before_the_flags(tmp_path):
    path = write(tmp_path / "models", "a", "b")
    assert configured(Flags(model_config_file=path, model_name="m", model_base_path="/m")) == (config("a"), config("b"))


def test_an_empty_file_is_no_model_at_the_start(tmp_path, caplog):
    caplog.set_level("INFO")
    assert configured(Flags(model_config_file=write(tmp_path / "models"))) == ()
    assert caplog.messages == [f"{tmp_path}/models: Taking no action for empty config."]


def test_a_file_that_cannot_be_used_stops_the_start(tmp_path):
    (tmp_path / "models").write_text("junk")
    with pytest.raises(StatusError, match=f"Invalid protobuf file: '{tmp_path}/models'"):
        configured(Flags(model_config_file=str(tmp_path / "models")))


def test_each_look_applies_what_the_file_says_then(tmp_path):
    applied: list[tuple[ModelConfig, ...]] = []
    file = ConfigFile(write(tmp_path / "models", "a"), 1, applied.append)
    file.look()
    write(tmp_path / "models", "b")
    file.look()
    assert applied == [(config("a"),), (config("b"),)]


def test_an_empty_file_changes_nothing_later(tmp_path):
    applied: list[object] = []
    ConfigFile(write(tmp_path / "models"), 1, applied.append).look()
    assert applied == []


REFUSALS = [StatusError(Code.INVALID_ARGUMENT, "no good"), SluicewayError("no good")]


@pytest.mark.parametrize("error", REFUSALS, ids=["status", "other"])
def test_the_same_complaint_is_made_once_and_again_after_it_went_away(tmp_path, caplog, error):
    answers = [error, error, None, error]

    def apply(_: object) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    file = ConfigFile(write(tmp_path / "models", "a"), 1, apply)
    for _ in range(4):
        file.look()
    assert caplog.messages == [f"{tmp_path}/models: no good; the last good configuration stays in force"] * 2


def test_a_file_that_is_gone_is_complained_about(tmp_path, caplog):
    ConfigFile(str(tmp_path / "models"), 1, lambda _: None).look()
    assert caplog.messages == [
        f"{tmp_path}/models: {tmp_path}/models; No such file or directory; the last good configuration stays in force"
    ]


def test_a_fault_of_ours_does_not_end_the_looking(tmp_path, caplog):
    ConfigFile(write(tmp_path / "models", "a"), 1, lambda _: 1 / 0).look()  # type: ignore[arg-type, return-value]
    assert f"reading {tmp_path}/models failed" in caplog.text


@pytest.mark.parametrize(("path", "seconds"), [("", 1), ("models", 0)])
def test_without_a_file_or_a_period_nobody_looks(path, seconds):
    before = threading.active_count()
    ConfigFile(path, seconds, lambda _: None).start()
    assert threading.active_count() == before


def test_looks_repeat_until_they_are_stopped(tmp_path):
    looked, twice = [], threading.Event()

    def apply(configs: object) -> None:
        looked.append(configs)
        if len(looked) == 2:
            twice.set()

    file = ConfigFile(write(tmp_path / "models", "a"), 0.001, apply)  # type: ignore[arg-type]
    file.start()
    assert twice.wait(10)
    thread = next(one for one in threading.enumerate() if one.name == "config-file")
    file.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_content_that_cannot_be_read_is_told_once_and_its_successor_is_taken(tmp_path, caplog):
    applied: list[tuple[ModelConfig, ...]] = []
    path = tmp_path / "models"
    path.write_text("junk")
    file = ConfigFile(str(path), 1, applied.append)
    for _ in range(3):
        file.look()
    assert len([text for text in caplog.messages if "Error parsing text-format" in text]) == 1
    write(path, "a")
    file.look()
    assert applied == [(config("a"),)]


def test_a_list_that_is_in_force_is_not_said_to_be_refused(tmp_path, caplog):
    def apply(_: object) -> None:
        raise StatusError(Code.UNKNOWN, "1 model(s) did not become available")

    ConfigFile(write(tmp_path / "models", "a"), 1, apply).look()
    assert caplog.messages == [f"{tmp_path}/models: 1 model(s) did not become available"]
