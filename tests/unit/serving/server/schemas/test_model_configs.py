"""ModelServerConfig, from text and from requests."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from serving.protocol.status import Code, StatusError
from serving.server.model_config import LoggingSettings, ModelConfig, VersionPolicy
from serving.server.schemas import model_configs, pool


def one(body: str) -> str:
    return f'model_config_list {{ config {{ name: "m" base_path: "/m" {body} }} }}'


PLATFORM = 'model_platform: "tensorflow"'
FULL = one(
    PLATFORM
    + """
    model_version_policy { specific { versions: 2 versions: 5 } }
    version_labels { key: "stable" value: 2 }
    version_labels { key: "canary" value: 5 }
    logging_config {
      log_collector_config { type: "file" filename_prefix: "/logs/m" }
      sampling_config { sampling_rate: 0.25 }
    }"""
)


def serialized(text: str) -> bytes:
    return text_format.Parse(text, pool.new(model_configs.MESSAGE)).SerializeToString()


def test_every_field_is_read(tmp_path):
    expected = (
        ModelConfig(
            name="m",
            base_path="/m",
            platform="tensorflow",
            policy=VersionPolicy("specific", versions=(2, 5)),
            labels={"stable": 2, "canary": 5},
            logging=LoggingSettings("/logs/m", 0.25, "file"),
        ),
    )
    assert model_configs.read_text(FULL, "f") == expected
    assert model_configs.from_bytes(serialized(FULL)) == expected
    (tmp_path / "f").write_text(FULL)
    assert model_configs.from_file(str(tmp_path / "f")) == expected


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("", VersionPolicy()),
        ("model_version_policy { }", VersionPolicy()),
        ("model_version_policy { latest { } }", VersionPolicy("latest", 1)),
        ("model_version_policy { latest { num_versions: 0 } }", VersionPolicy("latest", 1)),
        ("model_version_policy { latest { num_versions: 3 } }", VersionPolicy("latest", 3)),
        ("model_version_policy { all { } }", VersionPolicy("all")),
        ("model_version_policy { specific { } }", VersionPolicy("specific")),
    ],
)
def test_a_policy_is_the_newest_unless_said_otherwise(text, policy):
    (config,) = model_configs.read_text(one(PLATFORM + text), "f")
    assert config.policy == policy
    assert config.logging is None


def test_no_models_are_a_config_and_no_config_is_none():
    assert model_configs.read_text("model_config_list { }", "f") == ()
    assert model_configs.from_bytes(serialized("model_config_list { }")) == ()
    assert model_configs.read_text("", "f") is None


def test_the_old_model_type_still_means_tensorflow(caplog):
    (config,) = model_configs.read_text(one("model_type: TENSORFLOW"), "f")
    assert config.platform == "tensorflow"
    assert "model_type is deprecated" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            one(PLATFORM + " model_type: TENSORFLOW"),
            "Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform.",
        ),
        (one("model_type: OTHER"), "ModelServerConfig::model_type choice 2 not supported."),
    ],
)
def test_a_type_that_says_nothing_is_refused_in_upstreams_words(text, message):
    for read in (lambda: model_configs.read_text(text, "f"), lambda: model_configs.from_bytes(serialized(text))):
        with pytest.raises(StatusError) as caught:
            read()
        assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


CUSTOM = 'custom_model_config { type_url: "a/b" }'


def test_a_custom_config_is_refused_where_upstream_dies():
    with pytest.raises(StatusError, match="ModelServer does not yet support custom model config") as caught:
        model_configs.read_text(CUSTOM, "f")
    assert caught.value.code is Code.UNIMPLEMENTED


@pytest.mark.parametrize("request_", [b"", serialized(CUSTOM)], ids=["none", "custom"])
def test_a_request_may_only_list_models(request_):
    with pytest.raises(StatusError) as caught:
        model_configs.from_bytes(request_)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("ServerModelConfig type not supported by HandleReloadConfigRequest.")


def test_a_list_that_cannot_be_served_is_read_as_it_is():
    text = 'model_config_list { config { name: "m" base_path: "/m" } config { name: "m" base_path: "n" model_platform: "x" } }'
    found = [(config.name, config.base_path, config.platform) for config in model_configs.read_text(text, "f")]
    assert found == [("m", "/m", ""), ("m", "n", "x")]


def test_a_request_that_is_no_config_is_refused():
    with pytest.raises(StatusError, match="is not a serialized tensorflow"):
        model_configs.from_bytes(b"\xff")


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("sampling_rate: 5", "model m: logging_config.sampling_config.sampling_rate: 5 is not between 0 and 1"),
        ("sampling_rate: -0.5", "sampling_rate: -0.5 is not between 0 and 1"),
        ("sampling_rate: nan", "sampling_rate: nan is not between 0 and 1"),
        ("sampling_rate: 0.5", "model m: logging_config.log_collector_config.filename_prefix is empty: say where the log goes"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused(log, message):
    text = one(PLATFORM + f" logging_config {{ sampling_config {{ {log} }} }}")
    for read in (lambda: model_configs.read_text(text, "f"), lambda: model_configs.from_bytes(serialized(text))):
        with pytest.raises(StatusError, match=message) as caught:
            read()
        assert caught.value.code is Code.INVALID_ARGUMENT


def test_parts_of_a_log_config_without_effect_are_told(caplog):
    text = one(PLATFORM + ' logging_config { custom_logging_config { type_url: "a/b" } sampling_config { per_task_sampling_configs { } } }')
    assert model_configs.read_text(text, "f")[0].logging == LoggingSettings("", 0.0)
    assert "logging_config.custom_logging_config has no effect" in caplog.text
    assert "sampling_config.per_task_sampling_configs has no effect" in caplog.text
