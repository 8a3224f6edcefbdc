"""BatchingParameters files: text to the values that put requests together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from serving.protocol.status import invalid
from serving.server.batching_parameters import BatchingParameters
from serving.server.schemas import texts

MESSAGE = "tensorflow.serving.BatchingParameters"
PER_MODEL_FILE = "batching_params.pbtxt"

# Each is a thread of the operating system, and runs a model that itself uses all processors.
MOST_THREADS = 1024

_WRAPPED = (
    "max_batch_size",
    "batch_timeout_micros",
    "max_enqueued_batches",
    "num_batch_threads",
    "thread_pool_name",
    "enable_large_batch_splitting",
    "max_execution_batch_size",
)


def without_file() -> BatchingParameters:
    """What is meant by --enable_batching alone."""
    return BatchingParameters(thread_pool_name="model_server_batch_threads")


def from_file(path: str) -> BatchingParameters:
    """The parameters in a file. Raises StatusError."""
    return read(texts.read_file(path), path)


def read(text: str, where: str) -> BatchingParameters:
    """The parameters in a text; what it leaves out has upstream's default. Raises StatusError (INVALID_ARGUMENT)."""
    return from_message(texts.parse(text, MESSAGE, where))


def of_model(text: str, where: str, shared: BatchingParameters) -> BatchingParameters:
    """A version's own parameters. Its thread pool is the one of all models, whatever it says. Raises StatusError (INVALID_ARGUMENT)."""
    return replace(read(text, where), num_batch_threads=shared.num_batch_threads, thread_pool_name=shared.thread_pool_name)


def from_message(message: Any) -> BatchingParameters:
    """The parameters in a message. Raises StatusError (INVALID_ARGUMENT)."""
    given = {name: getattr(message, name).value for name in _WRAPPED if message.HasField(name)}
    parameters = BatchingParameters(
        **given,
        allowed_batch_sizes=tuple(message.allowed_batch_sizes),
        pad_variable_length_inputs=message.pad_variable_length_inputs,
    )
    if not parameters.max_enqueued_batches and not parameters.enable_large_batch_splitting:
        parameters = replace(parameters, max_enqueued_batches=1)  # upstream lets the many files that say 0 go on working
    check(parameters)
    return parameters


def check(parameters: BatchingParameters) -> None:
    """Raises StatusError (INVALID_ARGUMENT) for parameters that no batch could be made with."""
    sizes = parameters.allowed_batch_sizes
    if parameters.num_batch_threads < 1:
        raise invalid(f"num_batch_threads must be positive; was {parameters.num_batch_threads}")
    if parameters.num_batch_threads > MOST_THREADS:
        raise invalid(f"num_batch_threads must be at most {MOST_THREADS}; was {parameters.num_batch_threads}")
    if sizes and sizes[-1] != parameters.max_batch_size:
        raise invalid(
            f"Last entry in allowed_batch_sizes must match max_batch_size; last entry was {sizes[-1]}; expected {parameters.max_batch_size}"
        )
    if any(size < 1 for size in sizes) or list(sizes) != sorted(set(sizes)):
        raise invalid(f"allowed_batch_sizes entries must be positive and monotonically increasing; were {list(sizes)}")
    if parameters.max_batch_size < 1:
        raise invalid(f"input_batch_size_limit must be positive; was {parameters.max_batch_size}")
    if parameters.batch_timeout_micros < 0:
        raise invalid(f"batch_timeout_micros must be non-negative; was {parameters.batch_timeout_micros}")
    if parameters.max_enqueued_batches < 1:
        raise invalid(f"max_enqueued_batches must be positive; was {parameters.max_enqueued_batches}")
    largest = parameters.max_execution_batch_size
    if parameters.enable_large_batch_splitting and largest is not None and not 1 <= largest <= parameters.max_batch_size:
        raise invalid(
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal to "
            f"max_execution_batch_size. {parameters.max_batch_size}, {largest}"
        )
