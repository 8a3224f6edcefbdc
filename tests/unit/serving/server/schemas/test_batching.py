"""BatchingParameters files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching_parameters import BatchingParameters
from serving.server.schemas import batching

ALL = """
max_batch_size { value: 128 }
batch_timeout_micros { value: 500 }
max_enqueued_batches { value: 7 }
num_batch_threads { value: 3 }
thread_pool_name { value: "mine" }
allowed_batch_sizes: [8, 64]
allowed_batch_sizes: 128
pad_variable_length_inputs: true
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 64 }
"""


def test_every_field_is_read():
    assert batching.read(ALL, "f") == BatchingParameters(128, 500, 7, 3, "mine", (8, 64, 128), True, True, 64)


def test_what_is_left_out_has_upstreams_default():
    assert batching.read("", "f") == BatchingParameters()
    assert batching.read("batch_timeout_micros { }", "f").batch_timeout_micros == 0
    assert batching.read("max_batch_size { value: 5 } num_batch_threads { value: 1 }", "f") == replace(
        BatchingParameters(), max_batch_size=5, num_batch_threads=1
    )


def test_without_a_file_the_pool_has_another_name():
    assert batching.without_file() == BatchingParameters(thread_pool_name="model_server_batch_threads")


def test_a_file_that_says_0_batches_means_1():
    assert batching.read("max_enqueued_batches { value: 0 }", "f").max_enqueued_batches == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "max_batch_size { value: 4 } allowed_batch_sizes: [2, 3]",
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 3; expected 4",
        ),
        ("allowed_batch_sizes: 8", "last entry was 8; expected 1000"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [3, 2, 4]", "monotonically increasing"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [0, 4]", "must be positive"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
        ("num_batch_threads { value: 1025 }", "num_batch_threads must be at most 1024; was 1025"),
        ("max_batch_size { value: 0 }", "input_batch_size_limit must be positive; was 0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be non-negative; was -1"),
        ("max_enqueued_batches { value: -1 }", "max_enqueued_batches must be positive; was -1"),
        ("max_enqueued_batches { value: 0 } enable_large_batch_splitting { value: true }", "max_enqueued_batches must be positive; was 0"),
        (
            "max_batch_size { value: 4 } enable_large_batch_splitting { value: true } max_execution_batch_size { value: 5 }",
            "input_batch_size_limit must be greater than or equal to max_execution_batch_size",
        ),
        ("max_batch_size: 4", "Invalid protobuf file: 'f'"),
    ],
)
def test_parameters_that_make_no_batch_are_refused(text, message):
    with pytest.raises(StatusError, match=message) as caught:
        batching.read(text, "f")
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_an_execution_size_counts_only_with_splitting():
    assert batching.read("max_batch_size { value: 4 } max_execution_batch_size { value: 5 }", "f").max_execution_batch_size == 5


def test_a_models_own_file_does_not_choose_the_threads():
    own = batching.of_model(ALL, "f", BatchingParameters(num_batch_threads=9, thread_pool_name="shared"))
    assert (own.num_batch_threads, own.thread_pool_name, own.max_batch_size) == (9, "shared", 128)


def test_a_file_is_read(tmp_path):
    (tmp_path / "f").write_text("max_batch_size { value: 5 }")
    assert batching.from_file(str(tmp_path / "f")).max_batch_size == 5
