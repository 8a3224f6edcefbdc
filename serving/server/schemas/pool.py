"""A descriptor pool of our own, in which upstream's names do not meet those of an installed ``tensorflow-serving-api``."""

from __future__ import annotations

import functools

from google.protobuf import any_pb2, descriptor, descriptor_pool, message, message_factory, wrappers_pb2

from serving.server.runtime.python_package import import_without_init
from serving.server.schemas import definitions

SESSION_CONFIG = "tensorflow.ConfigProto"
_NEEDS_TENSORFLOW = {SESSION_CONFIG, *(f"{definitions.PACKAGE}.{name}" for name in definitions.PLATFORM)}


@functools.cache
def pool(tensorflow: bool = False) -> descriptor_pool.DescriptorPool:
    """The messages of configuration files; with ``tensorflow`` those with a ConfigProto too. Raises ImportError without TensorFlow."""
    made = descriptor_pool.DescriptorPool()
    _add(made, any_pb2.DESCRIPTOR, set())
    _add(made, wrappers_pb2.DESCRIPTOR, set())
    made.AddSerializedFile(definitions.config_file().SerializeToString())
    if tensorflow:
        _add(made, import_without_init("tensorflow.core.protobuf.config_pb2").DESCRIPTOR, set())
        made.AddSerializedFile(definitions.platform_file().SerializeToString())
    return made


def pool_of(full_name: str) -> descriptor_pool.DescriptorPool:
    """The smallest pool that knows a message."""
    return pool(full_name in _NEEDS_TENSORFLOW)


def new(full_name: str, source: descriptor_pool.DescriptorPool | None = None) -> message.Message:
    """An empty message, by its full name. Raises KeyError for one that is not there."""
    found = (source or pool_of(full_name)).FindMessageTypeByName(full_name)
    return message_factory.GetMessageClass(found)()


def _add(made: descriptor_pool.DescriptorPool, file: descriptor.FileDescriptor, seen: set[str]) -> None:
    """A file after those it stands on."""
    if file.name in seen:
        return
    seen.add(file.name)
    for needed in file.dependencies:
        _add(made, needed, seen)
    made.AddSerializedFile(file.serialized_pb)
