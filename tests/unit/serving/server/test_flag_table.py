"""The table of flags."""

from __future__ import annotations

import pytest

from serving.server.flag_table import OURS, SPECS, UPSTREAM, Flags

# What upstream's main declares, with types; defaults that depend on the machine are left out.
KINDS = {
    "int32": {
        "port": 8500, "rest_api_port": 0, "rest_api_num_threads": None, "rest_api_timeout_in_ms": 30000,
        "model_config_file_poll_wait_seconds": 0,
        "num_load_threads": 0, "num_unload_threads": 0, "max_num_load_retries": 5, "grpc_max_threads": None,
        "num_request_iterations_for_warmup": 0, "num_tflite_pools": None, "num_tflite_interpreters_per_pool": 1,
    },
    "seconds": {"file_system_poll_wait_seconds": 1},
    "int64": {
        "load_retry_interval_micros": 60000000, "tensorflow_session_parallelism": 0, "tensorflow_intra_op_parallelism": 0,
        "tensorflow_inter_op_parallelism": 0,
    },
    "float": {"per_process_gpu_memory_fraction": 0},
    "bool": {
        "rest_api_enable_cors_support": False, "enable_batching": False, "allow_version_labels_for_unavailable_models": False,
        "enable_per_model_batching_parameters": False, "flush_filesystem_caches": True, "use_alts_credentials": False,
        "enable_model_warmup": True, "version": False, "remove_unused_fields_from_bundle_metagraph": True, "prefer_tflite_model": False,
        "enable_signature_method_name_check": False, "xla_cpu_compilation_enabled": False, "xla_gpu_compilation_enabled": False,
        "enable_profiler": True, "skip_initialize_tpu": False, "enable_grpc_healthcheck_service": False,
        "enable_serialization_as_tensor_content": False,
    },
    "string": {
        "grpc_socket_path": "", "batching_parameters_file": "", "model_config_file": "", "model_name": "default", "model_base_path": "",
        "tensorflow_session_config_file": "", "ssl_config_file": "", "platform_config_file": "", "saved_model_tags": "serve",
        "grpc_channel_arguments": "", "monitoring_config_file": "", "thread_pool_factory_config_file": "", "mixed_precision": "",
    },
}  # fmt: skip


def test_every_flag_of_upstream_is_there_with_its_type_and_default():
    expected = {(name, kind): default for kind, names in KINDS.items() for name, default in names.items()}
    found = {(spec.name, spec.kind): spec.default for spec in UPSTREAM}
    assert found.keys() == expected.keys()
    assert {key: value for key, value in found.items() if expected[key] is not None and value != expected[key]} == {}
    assert len(found) == 48


def test_the_table_is_the_flags():
    assert [spec.name for spec in SPECS] == list(vars(Flags()))
    assert set(UPSTREAM) | set(OURS) == set(SPECS)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_flag_says_what_it_does_and_a_difference_says_which(spec):
    assert spec.help
    assert spec.standing == "same" or spec.ours or spec.note
