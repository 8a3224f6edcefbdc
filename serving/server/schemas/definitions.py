"""The messages of TF Serving's configuration files, as a table that becomes descriptors.

Names, numbers and types are upstream's (``tensorflow_serving/config``, ``.../sources/storage_path``, ``.../servables/tensorflow``), so that
text files, their error messages and serialized requests mean the same here. Only what a server reads is listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import any_pb2, descriptor_pb2, wrappers_pb2

PACKAGE = "tensorflow.serving"
CONFIG_FILE = "sluiceway/serving/config.proto"
PLATFORM_FILE = "sluiceway/serving/platform.proto"
SESSION_FILE = "tensorflow/core/protobuf/config.proto"  # TensorFlow's own, which defines ConfigProto

_POLICY = "FileSystemStoragePathSourceConfig.ServableVersionPolicy"
_ANY, _INT32, _INT64 = "google.protobuf.Any", "google.protobuf.Int32Value", "google.protobuf.Int64Value"
_BOOL, _STRING = "google.protobuf.BoolValue", "google.protobuf.StringValue"


@dataclass(frozen=True)
class Field:
    """One field. ``type`` is a scalar, a message of this package or a full name; ``key`` makes it a map with keys of that scalar."""

    name: str
    number: int
    type: str
    repeated: bool = False
    key: str = ""
    oneof: str = ""


ENUMS = {"ModelType": ("MODEL_TYPE_UNSPECIFIED", "TENSORFLOW", "OTHER")}

CONFIG: dict[str, tuple[Field, ...]] = {
    "FileSystemStoragePathSourceConfig": (),
    _POLICY: (
        Field("latest", 100, f"{_POLICY}.Latest", oneof="policy_choice"),
        Field("all", 101, f"{_POLICY}.All", oneof="policy_choice"),
        Field("specific", 102, f"{_POLICY}.Specific", oneof="policy_choice"),
    ),
    f"{_POLICY}.Latest": (Field("num_versions", 1, "uint32"),),
    f"{_POLICY}.All": (),
    f"{_POLICY}.Specific": (Field("versions", 1, "int64", repeated=True),),
    "LogCollectorConfig": (Field("type", 1, "string"), Field("filename_prefix", 2, "string")),
    "PerTaskSamplingConfig": (
        Field("dc", 1, "string"),
        Field("task_index", 2, "int32", oneof="_task_index"),  # an optional scalar is a oneof of one
        Field("sampling_rate", 3, "double"),
    ),
    "SamplingConfig": (
        Field("sampling_rate", 1, "double"),
        Field("per_task_sampling_configs", 3, "PerTaskSamplingConfig", repeated=True),
        Field("attributes", 2, "int32"),
    ),
    "LoggingConfig": (
        Field("log_collector_config", 1, "LogCollectorConfig"),
        Field("sampling_config", 2, "SamplingConfig"),
        Field("custom_logging_config", 3, _ANY),
    ),
    "ModelConfig": (
        Field("name", 1, "string"),
        Field("base_path", 2, "string"),
        Field("model_type", 3, "ModelType"),
        Field("model_platform", 4, "string"),
        Field("model_version_policy", 7, _POLICY),
        Field("version_labels", 8, "int64", key="string"),
        Field("logging_config", 6, "LoggingConfig"),
    ),
    "ModelConfigList": (Field("config", 1, "ModelConfig", repeated=True),),
    "ModelServerConfig": (
        Field("model_config_list", 1, "ModelConfigList", oneof="config"),
        Field("custom_model_config", 2, _ANY, oneof="config"),
    ),
    "PrometheusConfig": (Field("enable", 1, "bool"), Field("path", 2, "string")),
    "MonitoringConfig": (Field("prometheus_config", 1, "PrometheusConfig"),),
    "SSLConfig": (
        Field("server_key", 1, "string"),
        Field("server_cert", 2, "string"),
        Field("custom_ca", 3, "string"),
        Field("client_verify", 4, "bool"),
    ),
    "BatchingParameters": (
        Field("max_batch_size", 1, _INT64),
        Field("batch_timeout_micros", 2, _INT64),
        Field("max_enqueued_batches", 3, _INT64),
        Field("num_batch_threads", 4, _INT64),
        Field("thread_pool_name", 5, _STRING),
        Field("allowed_batch_sizes", 6, "int64", repeated=True),
        Field("pad_variable_length_inputs", 7, "bool"),
        Field("enable_large_batch_splitting", 8, _BOOL),
        Field("max_execution_batch_size", 9, _INT64),
    ),
    "PlatformConfig": (Field("source_adapter_config", 1, _ANY),),
    "PlatformConfigMap": (Field("platform_configs", 1, "PlatformConfig", key="string"),),
}

# Apart from the rest, because it needs TensorFlow's ConfigProto.
PLATFORM: dict[str, tuple[Field, ...]] = {
    "ModelWarmupOptions": (
        Field("num_request_iterations", 1, _INT32),
        Field("num_model_warmup_threads", 2, _INT32),
        Field("model_name", 3, "string"),
        Field("model_version", 4, "int64"),
    ),
    "SessionBundleConfig": (
        Field("session_target", 1, "string"),
        Field("session_config", 2, "tensorflow.ConfigProto"),
        Field("batching_parameters", 3, "BatchingParameters"),
        Field("session_run_load_threadpool_index", 4, _INT32),
        Field("experimental_transient_ram_bytes_during_load", 5, "uint64"),
        Field("saved_model_tags", 6, "string", repeated=True),
        Field("enable_model_warmup", 779, "bool"),
        Field("model_warmup_options", 780, "ModelWarmupOptions"),
        Field("enable_session_metadata", 781, "bool"),
        Field("remove_unused_fields_from_bundle_metagraph", 782, "bool"),
        Field("prefer_tflite_model", 783, "bool"),
        Field("resource_estimation_uses_validation_result", 784, "bool"),
        Field("num_tflite_interpreters", 785, "int32"),
        Field("num_tflite_interpreters_per_pool", 786, "int32"),
        Field("num_tflite_pools", 787, "int32"),
        # Numbers of our own: these are only ever read from text, which carries names.
        Field("enable_per_model_batching_params", 10_001, "bool"),
        Field("wrap_session_with_no_threading_params", 10_002, "bool"),
    ),
    "SavedModelBundleSourceAdapterConfig": (Field("legacy_config", 1000, "SessionBundleConfig"),),
}

_File = descriptor_pb2.FileDescriptorProto
_Message = descriptor_pb2.DescriptorProto
_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_FieldProto, f"TYPE_{name.upper()}") for name in ("string", "bool", "int32", "int64", "uint32", "uint64", "double")
}


def config_file() -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of all that stands alone."""
    file = _File(name=CONFIG_FILE, package=PACKAGE, syntax="proto3")
    file.dependency.extend([any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name])
    for name, values in ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    _add_messages(file, CONFIG)
    return file


def platform_file() -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of what refers to TensorFlow's ConfigProto."""
    file = _File(name=PLATFORM_FILE, package=PACKAGE, syntax="proto3")
    file.dependency.extend([CONFIG_FILE, wrappers_pb2.DESCRIPTOR.name, SESSION_FILE])
    _add_messages(file, PLATFORM)
    return file


def _add_messages(file: descriptor_pb2.FileDescriptorProto, table: dict[str, tuple[Field, ...]]) -> None:
    made: dict[str, descriptor_pb2.DescriptorProto] = {}
    for name, listed in table.items():
        outer, _, short = name.rpartition(".")
        message = made[outer].nested_type.add(name=short) if outer else file.message_type.add(name=short)
        made[name] = message
        for item in listed:
            _add_field(message, name, item)


def _add_field(message: descriptor_pb2.DescriptorProto, owner: str, item: Field) -> None:
    proto = message.field.add(name=item.name, number=item.number, label=_FieldProto.LABEL_OPTIONAL)
    if item.key:
        entry = _add_map_entry(message, item)
        proto.type, proto.type_name = _FieldProto.TYPE_MESSAGE, f".{PACKAGE}.{owner}.{entry.name}"
    else:
        _set_type(proto, item.type)
    if item.repeated or item.key:
        proto.label = _FieldProto.LABEL_REPEATED
    if item.oneof:
        proto.oneof_index = _oneof(message, item.oneof)


def _add_map_entry(message: descriptor_pb2.DescriptorProto, item: Field) -> descriptor_pb2.DescriptorProto:
    entry = message.nested_type.add(name="".join(word.capitalize() for word in item.name.split("_")) + "Entry")
    entry.options.map_entry = True
    for name, number, kind in (("key", 1, item.key), ("value", 2, item.type)):
        _set_type(entry.field.add(name=name, number=number, label=_FieldProto.LABEL_OPTIONAL), kind)
    return entry


def _set_type(proto: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _SCALARS:
        proto.type = _SCALARS[kind]
        return
    proto.type = _FieldProto.TYPE_ENUM if kind in ENUMS else _FieldProto.TYPE_MESSAGE
    proto.type_name = f".{kind}" if kind.startswith(("google.", "tensorflow.")) else f".{PACKAGE}.{kind}"


def _oneof(message: descriptor_pb2.DescriptorProto, name: str) -> int:
    names = [oneof.name for oneof in message.oneof_decl]
    if name not in names:
        message.oneof_decl.add(name=name)
        names.append(name)
    return names.index(name)
