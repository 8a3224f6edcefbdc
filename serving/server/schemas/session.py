"""TensorFlow's session options, as the serialized ConfigProto that its C library takes."""

from __future__ import annotations

import logging
import struct

from serving.server.flag_table import Flags
from serving.server.schemas import pool, texts

log = logging.getLogger(__name__)

# Field numbers in TensorFlow's config.proto and rewriter_config.proto. Written by hand: TensorFlow's Python package takes a second to load.
_INTRA_OP, _INTER_OP, _GPU_OPTIONS, _GRAPH_OPTIONS = 2, 5, 6, 10
_GPU_MEMORY_FRACTION = 1
_REWRITE_OPTIONS = 10
_ONEDNN_BFLOAT16, _ON = 31, 1


def read(path: str) -> bytes:
    """The ConfigProto in a text file, serialized. Raises StatusError."""
    return parse(texts.read_file(path), path)


def parse(text: str, where: str) -> bytes:
    """The ConfigProto in a text, serialized. Raises StatusError (INVALID_ARGUMENT)."""
    return bytes(texts.parse(text, pool.SESSION_CONFIG, where).SerializeToString())


def from_flags(flags: Flags) -> bytes:
    """What the flags alone say, as a serialized ConfigProto; empty when they say nothing."""
    intra, inter = flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism
    if intra <= 0 and inter <= 0:
        intra = inter = flags.tensorflow_session_parallelism
    made = b""
    if intra:
        made += _varint_field(_INTRA_OP, intra)
    if inter:
        made += _varint_field(_INTER_OP, inter)
    if flags.per_process_gpu_memory_fraction:
        fraction = struct.pack("<Bd", _GPU_MEMORY_FRACTION << 3 | 1, flags.per_process_gpu_memory_fraction)
        made += _message_field(_GPU_OPTIONS, fraction)
    if flags.mixed_precision == "bfloat16":
        made += _message_field(_GRAPH_OPTIONS, _message_field(_REWRITE_OPTIONS, _varint_field(_ONEDNN_BFLOAT16, _ON)))
    elif flags.mixed_precision:
        log.warning("--mixed_precision=%s has no effect: only bfloat16 is known", flags.mixed_precision)
    return made


def from_file_and_flags(flags: Flags) -> bytes:
    """The session config file, if one is given, and over it what the flags say. Raises StatusError."""
    file = read(flags.tensorflow_session_config_file) if flags.tensorflow_session_config_file else b""
    return file + from_flags(flags)  # serialized messages one after the other are one message; the later value counts


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # negative numbers are written in 64 bits
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _message_field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content
