"""PlatformConfigMap files."""

from __future__ import annotations

import pytest

from serving.protocol.status import StatusError
from serving.server.flag_table import processors
from serving.server.schemas import platform, session
from serving.server.schemas.platform import PlatformSettings

ADAPTER = "tensorflow.serving.SavedModelBundleSourceAdapterConfig"


def text(legacy: str, adapter: str = ADAPTER, name: str = "tensorflow") -> str:
    inner = f"[type.googleapis.com/{adapter}] {{ {legacy} }}"
    return f'platform_configs {{ key: "{name}" value {{ source_adapter_config {{ {inner} }} }} }}'


FULL = """legacy_config {
  session_config { intra_op_parallelism_threads: 3 gpu_options { allow_growth: true } }
  batching_parameters { max_batch_size { value: 4 } }
  enable_per_model_batching_params: true
  saved_model_tags: "serve" saved_model_tags: "gpu"
  enable_model_warmup: true
  model_warmup_options { num_request_iterations { value: 2 } }
  prefer_tflite_model: true
  num_tflite_pools: 5
  num_tflite_interpreters_per_pool: 6
  session_target: "local"
}"""


def test_every_field_that_counts_is_read(tmp_path):
    (tmp_path / "f").write_text(text(FULL))
    found = platform.from_file(str(tmp_path / "f"))
    assert list(found) == ["tensorflow"]
    settings = found["tensorflow"]
    assert settings.batching is not None
    assert settings.batching.max_batch_size == 4
    assert settings == PlatformSettings(
        session_config=session.parse("intra_op_parallelism_threads: 3 gpu_options { allow_growth: true }", "f"),
        batching=settings.batching,
        enable_per_model_batching_parameters=True,
        saved_model_tags=("serve", "gpu"),
        enable_model_warmup=True,
        num_request_iterations_for_warmup=2,
        prefer_tflite_model=True,
        num_tflite_pools=5,
        num_tflite_interpreters_per_pool=6,
        unused=("session_target",),
    )


def test_a_config_that_says_nothing_has_the_messages_defaults_not_the_flags():
    assert platform.read(text(""), "f")["tensorflow"] == PlatformSettings(num_tflite_pools=processors())


def test_platforms_are_told_apart_by_name():
    both = text("", name="a") + text("legacy_config { enable_model_warmup: true }", name="b")
    assert {name: settings.enable_model_warmup for name, settings in platform.read(both, "f").items()} == {"a": False, "b": True}
    assert platform.read("", "f") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text("", adapter="tensorflow.serving.SSLConfig"), "f: platform tensorflow: tensorflow.serving.SSLConfig: only"),
        ('platform_configs { key: "x" value { } }', "f: platform x: no source_adapter_config: only"),
        (text("", adapter="tensorflow.serving.HashmapSourceAdapterConfig"), "Invalid protobuf file: 'f'"),
        (text("legacy_config { no_such: 1 }"), "Invalid protobuf file: 'f'"),
        (text("legacy_config { batching_parameters { num_batch_threads { value: 0 } } }"), "num_batch_threads must be positive; was 0"),
    ],
)
def test_what_cannot_be_served_is_refused(content, message):
    with pytest.raises(StatusError, match=message):
        platform.read(content, "f")
