"""Our messages are upstream's: the same fields, numbers and types as in the installed tensorflow-serving-api."""

from __future__ import annotations

import importlib

import pytest

from serving.server.schemas import definitions, pool

INSTALLED = {
    "ModelServerConfig": "model_server_config_pb2",
    "ModelConfig": "model_server_config_pb2",
    "ModelConfigList": "model_server_config_pb2",
    "LoggingConfig": "logging_config_pb2",
    "SamplingConfig": "logging_config_pb2",
    "LogCollectorConfig": "log_collector_config_pb2",
    "PlatformConfigMap": "platform_config_pb2",  # in newer releases only
}
POLICY = "FileSystemStoragePathSourceConfig.ServableVersionPolicy"


def fields(descriptor):
    return {
        item.name: (
            item.number,
            item.type,
            item.message_type.full_name if item.message_type else item.enum_type.full_name if item.enum_type else None,
            item.containing_oneof.name if item.containing_oneof else None,
            item.has_presence,
        )
        for item in descriptor.fields
    }


def ours(name):
    return pool.new(f"tensorflow.serving.{name}").DESCRIPTOR


@pytest.mark.parametrize("name", INSTALLED)
def test_a_message_holds_every_field_of_upstreams(name):
    try:
        upstream = getattr(importlib.import_module(f"tensorflow_serving.config.{INSTALLED[name]}"), name).DESCRIPTOR
    except ModuleNotFoundError as error:
        if error.name == f"tensorflow_serving.config.{INSTALLED[name]}":
            return  # the older of our two stacks has no platform_config_pb2
        raise
    expected, found = fields(upstream), fields(ours(name))
    assert {field: found.get(field) for field in expected} == expected


def test_the_version_policy_is_upstreams():
    from tensorflow_serving.config import file_system_storage_path_source_pb2 as upstream

    policy = upstream.FileSystemStoragePathSourceConfig.ServableVersionPolicy.DESCRIPTOR
    assert fields(ours(POLICY)) == fields(policy)
    for nested in policy.nested_types:
        assert fields(ours(f"{POLICY}.{nested.name}")) == fields(nested)


def test_the_model_types_are_upstreams():
    from tensorflow_serving.config import model_server_config_pb2 as upstream

    assert definitions.ENUMS["ModelType"] == tuple(upstream.ModelType.keys())


def test_a_serialized_config_of_the_stock_client_reads_the_same():
    from tensorflow_serving.config import model_server_config_pb2 as upstream

    config = upstream.ModelServerConfig()
    model = config.model_config_list.config.add(name="m", base_path="/m", model_platform="tensorflow")
    model.model_version_policy.specific.versions.extend([1, 2])
    model.version_labels["stable"] = 1
    mine = pool.new("tensorflow.serving.ModelServerConfig")
    mine.ParseFromString(config.SerializeToString())
    assert str(mine) == str(config)


def test_every_field_number_is_used_once():
    for table in (definitions.CONFIG, definitions.PLATFORM):
        for name, listed in table.items():
            assert len({item.number for item in listed}) == len(listed), name
